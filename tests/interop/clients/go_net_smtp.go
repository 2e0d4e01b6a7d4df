// go_net_smtp - Go's smtp.SendMail, which asks for SMTPUTF8 and 8BITMIME
// whenever they are offered.
package main

import (
	"fmt"
	"net/smtp"
	"os"
	"runtime"
	"strings"
)

const letter = "From: Status <%[1]s>\r\n" +
	"To: %[2]s\r\n" +
	"Subject: Service restored %[3]s\r\n" +
	"Message-ID: <%[3]s@%[4]s>\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n" +
	"Content-Transfer-Encoding: 8bit\r\n" +
	"\r\n" +
	"All systems work again – sorry.\r\n" +
	".a line that starts with a dot\r\n"

func main() {
	// SendMail takes no TLS settings: its CA comes from here.
	os.Setenv("SSL_CERT_FILE", os.Getenv("INTEROP_CA"))
	host := os.Getenv("INTEROP_HOST")
	from, to := os.Getenv("INTEROP_FROM"), os.Getenv("INTEROP_TO")
	_, domain, _ := strings.Cut(from, "@")
	auth := smtp.PlainAuth("", os.Getenv("INTEROP_USER"),
		os.Getenv("INTEROP_PASSWORD"), host)
	text := fmt.Sprintf(letter, from, to, os.Getenv("INTEROP_TOKEN"), domain)
	err := smtp.SendMail(host+":"+os.Getenv("INTEROP_PORT"), auth, from,
		[]string{to}, []byte(text))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(strings.TrimPrefix(runtime.Version(), "go"),
		"sent, SendMail shows no reply")
}
