// JavaMail - the sender of the Java world; prefers AUTH LOGIN.

import com.sun.mail.smtp.SMTPTransport;
import com.sun.mail.util.MailSSLSocketFactory;
import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Properties;
import javax.mail.Message;
import javax.mail.Session;
import javax.mail.internet.InternetAddress;
import javax.mail.internet.MimeBodyPart;
import javax.mail.internet.MimeMessage;
import javax.mail.internet.MimeMultipart;
import javax.net.ssl.TrustManagerFactory;

public class JavaMail {
    public static void main(String[] args) throws Exception {
        Properties settings = new Properties();
        settings.put("mail.smtp.host", env("HOST"));
        settings.put("mail.smtp.port", env("PORT"));
        settings.put("mail.smtp.auth", "true");
        settings.put("mail.smtp.starttls.enable", "true");
        settings.put("mail.smtp.starttls.required", "true");
        settings.put("mail.smtp.ssl.checkserveridentity", "true");
        settings.put("mail.smtp.ssl.socketFactory", trusting(env("CA")));
        Session session = Session.getInstance(settings);

        MimeMessage mail = new Letter(session);
        mail.setFrom(new InternetAddress(env("FROM"), "Bank für alle"));
        mail.setRecipients(Message.RecipientType.TO, env("TO"));
        mail.setSubject("Your statement " + env("TOKEN"));
        MimeBodyPart text = new MimeBodyPart();
        text.setText("Saldo: 1 234 €\n", "utf-8");
        MimeBodyPart html = new MimeBodyPart();
        html.setText("<b>Saldo: 1 234 €</b>\n", "utf-8", "html");
        mail.setContent(new MimeMultipart("alternative", text, html));
        mail.saveChanges();

        try (SMTPTransport transport =
                 (SMTPTransport) session.getTransport("smtp")) {
            transport.connect(env("USER"), env("PASSWORD"));
            transport.sendMessage(mail, mail.getAllRecipients());
            System.out.println(
                SMTPTransport.class.getPackage().getImplementationVersion()
                + " " + transport.getLastServerResponse().strip());
        }
    }

    /** A message that keeps our Message-ID: the library sets its own. */
    private static class Letter extends MimeMessage {
        Letter(Session session) {
            super(session);
        }

        @Override
        protected void updateMessageID() throws javax.mail.MessagingException {
            String domain = env("FROM").split("@")[1];
            setHeader("Message-ID", "<" + env("TOKEN") + "@" + domain + ">");
        }
    }

    private static MailSSLSocketFactory trusting(String file)
            throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        try (FileInputStream in = new FileInputStream(file)) {
            store.setCertificateEntry("ca",
                CertificateFactory.getInstance("X.509")
                    .generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(
            TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        MailSSLSocketFactory factory = new MailSSLSocketFactory();
        factory.setTrustManagers(trust.getTrustManagers());
        return factory;
    }

    private static String env(String name) {
        return System.getenv("INTEROP_" + name);
    }
}
