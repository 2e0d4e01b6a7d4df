"""support - what the integration tests stand on."""
