<?php
// phpmailer - what WordPress and much of PHP sends with.
require '/usr/share/php/libphp-phpmailer/autoload.php';

use PHPMailer\PHPMailer\PHPMailer;

$token = getenv('INTEROP_TOKEN');
$domain = explode('@', getenv('INTEROP_FROM'))[1];
$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->Host = getenv('INTEROP_HOST');
$mail->Port = (int)getenv('INTEROP_PORT');
$mail->SMTPAuth = true;
$mail->Username = getenv('INTEROP_USER');
$mail->Password = getenv('INTEROP_PASSWORD');
$mail->SMTPSecure = PHPMailer::ENCRYPTION_STARTTLS;
$mail->SMTPOptions = ['ssl' => ['cafile' => getenv('INTEROP_CA')]];
$mail->SMTPKeepAlive = true; // else the reply is gone after send()
$mail->CharSet = 'utf-8';
$mail->setFrom(getenv('INTEROP_FROM'), 'Café');
$mail->addAddress(getenv('INTEROP_TO'));
$mail->MessageID = "<$token@$domain>";
$mail->Subject = "Your booking $token";
$mail->isHTML(true);
$mail->Body = '<p>Table for two, 20:00, terrace – see you!</p>';
$mail->AltBody = 'Table for two, 20:00, terrace – see you!';
$mail->addStringAttachment(str_repeat("BEGIN:VCALENDAR\r\n", 50), 'b.ics');
$mail->send();
$id = $mail->getSMTPInstance()->getLastTransactionID();
$mail->smtpClose();
echo PHPMailer::VERSION, ' transaction id ', var_export($id, true), "\n";
