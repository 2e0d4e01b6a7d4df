# ruby_net_smtp - Ruby's own Net::SMTP, with AUTH LOGIN in three steps.
require 'net/smtp'

token = ENV.fetch('INTEROP_TOKEN')
from = ENV.fetch('INTEROP_FROM')
to = ENV.fetch('INTEROP_TO')
context = OpenSSL::SSL::SSLContext.new
context.set_params(ca_file: ENV.fetch('INTEROP_CA'))

smtp = Net::SMTP.new(ENV.fetch('INTEROP_HOST'), ENV.fetch('INTEROP_PORT').to_i)
smtp.enable_starttls(context)
smtp.start('localhost', ENV.fetch('INTEROP_USER'),
           ENV.fetch('INTEROP_PASSWORD'), :login) do
  reply = smtp.send_message(<<~MAIL, from, to)
    From: #{from}
    To: #{to}
    Subject: Backup finished #{token}
    Message-ID: <#{token}@#{from.split('@').last}>

    All 42 volumes are safe.
    .a line that starts with a dot
  MAIL
  puts "#{Net::SMTP::VERSION} #{reply.string}"
end
