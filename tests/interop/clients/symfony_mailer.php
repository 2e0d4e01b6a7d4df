<?php
// symfony_mailer - the mailer of Symfony, and of Laravel by way of it.
require '/usr/share/php/Symfony/Component/Mailer/autoload.php';

use Symfony\Component\Mailer\Transport\Smtp\EsmtpTransport;
use Symfony\Component\Mime\Email;

$token = getenv('INTEROP_TOKEN');
$domain = explode('@', getenv('INTEROP_FROM'))[1];
$transport = new EsmtpTransport(
    getenv('INTEROP_HOST'), (int)getenv('INTEROP_PORT'), false);
$transport->setUsername(getenv('INTEROP_USER'));
$transport->setPassword(getenv('INTEROP_PASSWORD'));
$transport->getStream()->setStreamOptions(
    ['ssl' => ['cafile' => getenv('INTEROP_CA')]]);

$mail = (new Email())
    ->from(getenv('INTEROP_FROM'))
    ->to(getenv('INTEROP_TO'))
    ->subject("Security alert $token")
    ->text("A new device signed in near Zürich.\n")
    ->html('<p>A new device signed in near <b>Zürich</b>.</p>');
$mail->getHeaders()->addIdHeader('Message-ID', "$token@$domain");
$dialog = $transport->send($mail)->getDebug();

preg_match_all('/^\S* ?< (250 .*)$/m', $dialog, $replies);
preg_match('/ii\s+\S+\s+(\S+)/', shell_exec('dpkg -l php-symfony-mailer'),
           $version);
if (!str_contains($dialog, 'STARTTLS')) {
    fwrite(STDERR, "sent without STARTTLS\n");
    exit(1);
}
echo $version[1], ' ', trim(end($replies[1])), "\n";
