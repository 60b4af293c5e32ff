package app

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// loadCertificate returns the front's TLS configuration: TLS 1.2 and above, a certificate that is read again when its files
// change, and, with --http.tls-client-ca-file, senders' certificates checked where they show one.
func (h *HTTPOptions) loadCertificate(log *slog.Logger) (*tls.Config, error) {
	if h.TLSCertFile == "" {
		return nil, nil //nolint:nilnil // no certificate is a valid answer: plain HTTP
	}
	source := &certificate{certFile: h.TLSCertFile, keyFile: h.TLSKeyFile, log: log, now: time.Now}
	if err := source.load(); err != nil {
		return nil, fmt.Errorf("--http.tls-cert-file: %w", err)
	}
	config := &tls.Config{GetCertificate: source.current, MinVersion: tls.VersionTLS12}
	if h.TLSClientCAFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(h.TLSClientCAFile)
	if err != nil {
		return nil, fmt.Errorf("--http.tls-client-ca-file: %w", err)
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.VerifyClientCertIfGiven
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--http.tls-client-ca-file: %s has no certificate in PEM form", h.TLSClientCAFile)
	}
	return config, nil
}

// reloadInterval is how often the certificate's files are looked at, at most and only when a connection opens.
const reloadInterval = 5 * time.Second

// certificate serves a certificate from files, and its successor once the files have changed. A successor that cannot be read
// is reported and the one before goes on.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	mu      sync.Mutex // guards what follows
	pair    *tls.Certificate
	stamp   [2]fileStamp
	checked time.Time
}

type fileStamp struct {
	modified time.Time
	size     int64
}

func stampOf(name string) fileStamp {
	info, err := os.Stat(name)
	if err != nil {
		return fileStamp{}
	}
	return fileStamp{info.ModTime(), info.Size()}
}

// load reads the files.
func (c *certificate) load() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loadLocked()
}

func (c *certificate) loadLocked() error {
	stamp := [2]fileStamp{stampOf(c.certFile), stampOf(c.keyFile)}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.pair, c.stamp = &pair, stamp
	return nil
}

// current implements tls.Config.GetCertificate.
func (c *certificate) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.checked) >= reloadInterval {
		c.checked = now
		if stamp := [2]fileStamp{stampOf(c.certFile), stampOf(c.keyFile)}; stamp != c.stamp {
			if err := c.loadLocked(); err != nil {
				c.log.Error("the new certificate cannot be read; the one before stays", "file", c.certFile, "err", err)
			} else {
				c.log.Info("certificate read again", "file", c.certFile, "not_after", c.pair.Leaf.NotAfter)
			}
		}
	}
	if c.pair == nil {
		return nil, errors.New("no certificate")
	}
	return c.pair, nil
}
