package receivers

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	commoncfg "github.com/prometheus/common/config"
)

// mailNotifier sends mail over SMTP. Upstream's dials by itself, past the guard, and gives passwords to servers without TLS.
// Amazon SES is such a server: email-smtp.<region>.amazonaws.com:587. It implements notify.Notifier.
type mailNotifier struct {
	conf *config.EmailConfig
	opts *Options
}

// maxMailTime bounds one conversation, maxMailAnswer what the server may say in it.
const (
	maxMailTime   = 30 * time.Second
	maxMailAnswer = 64 << 10
)

// checkMail refuses what would fail with every message.
func checkMail(c *config.EmailConfig) error {
	for name := range c.Headers {
		if !isToken(name) {
			return fmt.Errorf("headers: %q is not the name of a header", name)
		}
	}
	for field, text := range map[string]string{"to": c.To, "from": c.From} {
		if strings.Contains(text, "{{") {
			continue
		}
		if _, err := mail.ParseAddressList(text); err != nil {
			return fmt.Errorf("%s: %q is not a list of mail addresses", field, text)
		}
	}
	if c.TLSConfig == nil {
		return nil
	}
	_, err := commoncfg.NewTLSConfig(c.TLSConfig)
	return err
}

// isToken reports whether text is a header's name by RFC 5322: printable ASCII without colons.
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' })
}

// Notify implements notify.Notifier. Errors are of *Failure.
func (m *mailNotifier) Notify(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
	n, err := newNote(ctx, m.opts, true, 0, alerts)
	if err != nil {
		return false, err
	}
	l, err := m.letter(n)
	if f := n.fault(); f != nil {
		return false, f
	}
	if err != nil {
		return false, asFailure(err)
	}
	target := "email " + m.conf.Smarthost.String() + " " + m.conf.AuthUsername
	f := m.opts.Pace.enter(ctx, target, ratesOf("email"))
	if f == nil {
		f = m.send(ctx, l)
	}
	if f == nil {
		return false, nil
	}
	f.Said = m.opts.redact(f.Said)
	return f.Retry, f
}

// send holds one conversation with the mail server.
func (m *mailNotifier) send(ctx context.Context, l *letter) *Failure {
	ctx, cancel := context.WithTimeout(ctx, maxMailTime)
	defer cancel()
	conn, err := m.opts.Guard.Dial(ctx, "tcp", m.conf.Smarthost.String())
	if err != nil {
		return unreached(err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	tlsConfig, err := m.tls()
	if err != nil {
		return final("the TLS configuration is not valid")
	}
	conn = &boundedConn{Conn: conn, left: maxMailAnswer}
	if m.implicitTLS() {
		conn = tls.Client(conn, tlsConfig)
	}
	client, err := smtp.NewClient(conn, m.conf.Smarthost.Host)
	if err != nil {
		return mailFailure(err)
	}
	if f := m.open(client, tlsConfig); f != nil {
		return f
	}
	if f := m.opts.mayNot(); f != nil {
		return f
	}
	if f := deliver(client, l); f != nil {
		return f
	}
	_ = client.Quit() // the server has the message
	return nil
}

func (m *mailNotifier) tls() (*tls.Config, error) {
	from := m.conf.TLSConfig
	if from == nil {
		from = &commoncfg.TLSConfig{}
	}
	c, err := commoncfg.NewTLSConfig(from)
	if err != nil {
		return nil, err
	}
	if c.ServerName == "" {
		c.ServerName = m.conf.Smarthost.Host
	}
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	return c, nil
}

func (m *mailNotifier) implicitTLS() bool {
	if m.conf.ForceImplicitTLS != nil {
		return *m.conf.ForceImplicitTLS
	}
	return m.conf.Smarthost.Port == "465"
}

// open greets the server, turns TLS on and signs in.
func (m *mailNotifier) open(client *smtp.Client, tlsConfig *tls.Config) *Failure {
	if m.conf.Hello != "" {
		if err := client.Hello(m.conf.Hello); err != nil {
			return mailFailure(err)
		}
	}
	_, secure := client.TLSConnectionState()
	offered, _ := client.Extension("STARTTLS")
	switch {
	case secure:
	case offered && (m.requireTLS() || m.conf.AuthUsername != ""):
		if err := client.StartTLS(tlsConfig); err != nil {
			return mailFailure(err)
		}
		secure = true
	case m.requireTLS():
		return final("the mail server offers no STARTTLS, and require_tls is true")
	}
	if m.conf.AuthUsername == "" {
		return nil
	}
	if !secure {
		return final("the mail server offers no TLS, without which no password is sent to it")
	}
	offered, mechanisms := client.Extension("AUTH")
	if !offered {
		return final("the mail server offers no authentication")
	}
	auth := m.auth(mechanisms)
	if auth == nil {
		return final("the mail server offers none of PLAIN, LOGIN (with auth_password) and CRAM-MD5 (with auth_secret)")
	}
	if err := client.Auth(auth); err != nil {
		return mailFailure(err)
	}
	return nil
}

func (m *mailNotifier) requireTLS() bool { return m.conf.RequireTLS == nil || *m.conf.RequireTLS }

// auth chooses the first mechanism that the server offers and the configuration has the secret for.
func (m *mailNotifier) auth(mechanisms string) smtp.Auth {
	c := m.conf
	for mechanism := range strings.FieldsSeq(strings.ToUpper(mechanisms)) {
		switch {
		case mechanism == "CRAM-MD5" && c.AuthSecret != "":
			return smtp.CRAMMD5Auth(c.AuthUsername, string(c.AuthSecret))
		case mechanism == "PLAIN" && c.AuthPassword != "":
			return smtp.PlainAuth(c.AuthIdentity, c.AuthUsername, string(c.AuthPassword), c.Smarthost.Host)
		case mechanism == "LOGIN" && c.AuthPassword != "":
			return &loginAuth{c.AuthUsername, string(c.AuthPassword)}
		}
	}
	return nil
}

// loginAuth is the mechanism LOGIN, which never became a standard: the server asks twice, in its own words.
type loginAuth struct{ username, password string }

// Start implements smtp.Auth.
func (a *loginAuth) Start(server *smtp.ServerInfo) (proto string, toServer []byte, err error) {
	if !server.TLS {
		return "", nil, errors.New("LOGIN without TLS")
	}
	return "LOGIN", nil, nil
}

// Next implements smtp.Auth: the first question is for the name, the second for the password.
func (a *loginAuth) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	said := a.username
	a.username = a.password
	return []byte(said), nil
}

// deliver hands the letter over.
func deliver(client *smtp.Client, l *letter) *Failure {
	if err := client.Mail(l.from); err != nil {
		return mailFailure(err)
	}
	for _, to := range l.to {
		if err := client.Rcpt(to); err != nil {
			return mailFailure(err)
		}
	}
	w, err := client.Data()
	if err == nil {
		_, err = w.Write(l.text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return mailFailure(err)
	}
	return nil
}

// mailFailure follows RFC 5321: a code of 4xx may pass, one of 5xx will not.
func mailFailure(err error) *Failure {
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		return &Failure{Status: said.Code, Reason: fmt.Sprintf("the mail server answered %d", said.Code), Said: said.Msg, Retry: said.Code/100 == 4}
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return final("the mail server's certificate is not valid for its name")
	}
	if errors.Is(err, errMailAnswer) {
		return final("the mail server talks too much")
	}
	return unreached(err)
}

var errMailAnswer = errors.New("the mail server's answers are over the limit")

// boundedConn fails once the other side has said more than it may.
type boundedConn struct {
	net.Conn
	left int
}

// Read implements io.Reader.
func (b *boundedConn) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errMailAnswer
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
