# ruby_mail - the mail gem, which carries Rails' ActionMailer.
require 'mail'

token = ENV.fetch('INTEROP_TOKEN')
mail = Mail.new do
  from ENV.fetch('INTEROP_FROM')
  to ENV.fetch('INTEROP_TO')
  subject "Confirm your address #{token}"
  message_id "<#{token}@#{ENV.fetch('INTEROP_FROM').split('@').last}>"
  text_part { body 'Open https://app.example/confirm – thank you.' }
  html_part do
    content_type 'text/html; charset=UTF-8'
    body '<a href="https://app.example/confirm">Confirm – thank you</a>'
  end
  add_file filename: 'terms.txt', content: "Terms\n" * 200
end
mail.delivery_method :smtp,
                     address: ENV.fetch('INTEROP_HOST'),
                     port: ENV.fetch('INTEROP_PORT').to_i,
                     user_name: ENV.fetch('INTEROP_USER'),
                     password: ENV.fetch('INTEROP_PASSWORD'),
                     authentication: :plain,
                     enable_starttls: true,
                     ca_file: ENV.fetch('INTEROP_CA'),
                     openssl_verify_mode: 'peer',
                     return_response: true
puts "#{Mail::VERSION.version} #{mail.deliver!.string}"
