"""support - what the interop programs share; standard library only."""
