package receivers

import (
	"bytes"
	"fmt"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/config"
)

// letter is one mail, ready to be handed to a server.
type letter struct {
	from string
	to   []string
	text []byte // headers and body, with CRLF
}

// maxMailTo bounds whom one notification is sent to: the list may come out of labels.
const maxMailTo = 50

// letter writes the mail that tells of a notification.
func (m *mailNotifier) letter(n *note) (*letter, error) {
	from, err := mail.ParseAddress(n.expandText(m.conf.From))
	if n.err != nil {
		return nil, nil //nolint:nilnil // the note tells of it
	}
	if err != nil {
		return nil, final("from is not one mail address after templating")
	}
	to, err := mail.ParseAddressList(n.expandText(m.conf.To))
	if err != nil || len(to) > maxMailTo {
		return nil, final("to is not a list of at most %d mail addresses after templating", maxMailTo)
	}
	l := &letter{from: from.Address}
	for _, a := range to {
		l.to = append(l.to, a.Address)
	}
	var text bytes.Buffer
	parts := multipart.NewWriter(&text)
	m.headers(n, &text, parts.Boundary())
	plain := m.conf.Text
	if plain == "" {
		plain = `{{ template "email.default.text" . }}`
	}
	if err := part(parts, "text/plain", n.expandText(plain)); err != nil {
		return nil, err
	}
	if m.conf.HTML != "" { // RFC 2046: the richest alternative comes last
		if err := part(parts, "text/html", n.expandHTML(m.conf.HTML)); err != nil {
			return nil, err
		}
	}
	if err := parts.Close(); err != nil {
		return nil, err
	}
	l.text = text.Bytes()
	return l, nil
}

// headers writes the configuration's headers and ours. What comes out of templates is encoded, so it cannot begin another
// header.
func (m *mailNotifier) headers(n *note, to *bytes.Buffer, boundary string) {
	set := map[string]string{"Subject": config.DefaultEmailSubject, "To": m.conf.To, "From": m.conf.From}
	for name, text := range m.conf.Headers {
		set[textproto.CanonicalMIMEHeaderKey(name)] = text
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		_, _ = fmt.Fprintf(to, "%s: %s\r\n", name, headerText(n.expandText(set[name])))
	}
	domain := m.conf.Smarthost.Host
	if _, ok := set["Message-Id"]; !ok { // the same for the second copy of a delivery, so that mailboxes show one
		_, _ = fmt.Fprintf(to, "Message-Id: <%s@%s>\r\n", n.dedup[:32], domain)
	}
	if m.conf.Threading.Enabled {
		day := ""
		if m.conf.Threading.ThreadByDate == "daily" {
			day = "." + n.now.UTC().Format(time.DateOnly)
		}
		root := fmt.Sprintf("<group.%s%s@%s>", n.key.Hash()[:32], day, domain)
		_, _ = fmt.Fprintf(to, "References: %s\r\nIn-Reply-To: %s\r\n", root, root)
	}
	_, _ = fmt.Fprintf(to, "Date: %s\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=%s\r\n\r\n",
		n.now.UTC().Format(time.RFC1123Z), boundary)
}

// headerText makes one line of a header's text, encoded by RFC 2047 where it is not plain.
func headerText(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return mime.QEncoding.Encode("utf-8", cut(text, 500))
}

func part(to *multipart.Writer, kind, text string) error {
	w, err := to.CreatePart(textproto.MIMEHeader{"Content-Type": {kind + "; charset=UTF-8"}, "Content-Transfer-Encoding": {"quoted-printable"}})
	if err != nil {
		return err
	}
	q := quotedprintable.NewWriter(w)
	if _, err := q.Write([]byte(text)); err != nil {
		return err
	}
	return q.Close()
}
