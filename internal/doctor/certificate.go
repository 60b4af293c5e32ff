package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"
)

// Certificate is a file of certificates, with the key of the first where it has one.
type Certificate struct {
	Flag, File string
	Key        string // "" for authorities
}

// certificates judges each certificate by its dates.
func (e *exam) certificates() {
	for _, c := range e.o.Certificates {
		if c.Key != "" {
			if _, err := tls.LoadX509KeyPair(c.File, c.Key); err != nil {
				e.fail("certificate", "Put a certificate chain and its own key in PEM form there, readable by the server's user.", "--%s %s: %v", c.Flag, c.File, err)
				continue
			}
			e.private(c.Key, "certificate")
		}
		list, err := readCertificates(c.File)
		if err != nil {
			e.fail("certificate", "Put certificates in PEM form there, readable by the server's user.", "--%s %s: %v", c.Flag, c.File, err)
			continue
		}
		for _, one := range list {
			e.dates(c, one)
		}
	}
}

func (e *exam) dates(c Certificate, one *x509.Certificate) {
	now, name := e.o.Now(), one.Subject.CommonName
	if name == "" && len(one.DNSNames) > 0 {
		name = one.DNSNames[0]
	}
	left := one.NotAfter.Sub(now)
	text := fmt.Sprintf("--%s %s: the certificate of %q", c.Flag, c.File, name)
	const advice = "Replace the file; a running server reads it again by itself."
	switch {
	case now.Before(one.NotBefore):
		e.fail("certificate", advice, "%s is good from %s only", text, one.NotBefore.UTC().Format(time.RFC3339))
	case left <= 0:
		e.fail("certificate", advice, "%s has expired at %s", text, one.NotAfter.UTC().Format(time.RFC3339))
	case left < e.o.CertificateLife:
		e.warn("certificate", advice, "%s expires at %s, in %s", text, one.NotAfter.UTC().Format(time.RFC3339), left.Round(time.Hour))
	default:
		e.ok("certificate", "%s is good until %s", text, one.NotAfter.UTC().Format(time.RFC3339))
	}
}

func readCertificates(file string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	if len(list) == 0 {
		return nil, errors.New("there is no certificate in PEM form in it")
	}
	return list, nil
}

// rootKey looks at the file that all secrets in the store are sealed under.
func (e *exam) rootKey() {
	k := &e.o.RootKey
	switch {
	case !k.Needed:
		return
	case k.Given:
		e.ok("root-key", "it is in the environment")
		return
	case k.File == "":
		e.fail("root-key", "Set --keys.root-file, or SEAMARK_KEYS_ROOT, to the same key for all processes; `seamark keys generate` prints one.", "there is none, and with --nats.url none is made")
		return
	}
	_, err := os.Stat(k.File)
	switch {
	case os.IsNotExist(err) && k.Made && !e.running:
		e.ok("root-key", "%s is made at the first start; keep a copy elsewhere then", k.File)
	case err != nil:
		e.fail("root-key", "Bring the key back from its copy: secrets in the store cannot be read without it.", "%v", err)
	case e.private(k.File, "root-key"):
		e.ok("root-key", "%s is there, for its owner alone", k.File)
	}
}

// private reports whether a file is for its owner alone, and warns where it is not.
func (e *exam) private(file, check string) bool {
	info, err := os.Stat(file)
	if err != nil {
		e.fail(check, "Put the file there, readable by the server's user.", "%v", err)
		return false
	}
	if info.Mode().Perm()&0o007 == 0 {
		return true
	}
	e.warn(check, "chmod o= "+file, "every user of this machine may use %s, whose mode is %s", file, mode(info))
	return false
}
