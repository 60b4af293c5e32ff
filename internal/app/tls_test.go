package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// writePair writes a self-signed certificate with the given name.
func writePair(t *testing.T, o *HTTPOptions, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(o.TLSKeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	require.NoError(t, os.WriteFile(o.TLSCertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
}

// served returns the name on the certificate that a client of the given newest version is shown.
func served(t *testing.T, addr string, newest uint16) (string, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, MaxVersion: newest, MinVersion: tls.VersionTLS10}) //nolint:gosec // the test looks at what is shown
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

// TestCertificateIsReadAgain changes the files under a listener: a sound pair replaces the one before, a broken one does not.
func TestCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	o := &HTTPOptions{TLSCertFile: filepath.Join(dir, "tls.crt"), TLSKeyFile: filepath.Join(dir, "tls.key")}
	_, err := o.loadCertificate(slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "--http.tls-cert-file")
	writePair(t, o, "one")
	now := time.Now()
	source := &certificate{certFile: o.TLSCertFile, keyFile: o.TLSKeyFile, log: slog.New(slog.DiscardHandler), now: func() time.Time { return now }}
	require.NoError(t, source.load())
	config, err := o.loadCertificate(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	config.GetCertificate = source.current
	ln, err := tls.Listen("tcp", "127.0.0.1:0", config)
	require.NoError(t, err)
	defer func() { _ = ln.Close() }()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func(conn net.Conn) { _ = conn.(*tls.Conn).Handshake(); _ = conn.Close() }(conn) //nolint:forcetypeassert // a tls.Listener's
		}
	}()
	show := func(want string) {
		t.Helper()
		got, err := served(t, ln.Addr().String(), tls.VersionTLS13)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	show("one")
	_, err = served(t, ln.Addr().String(), tls.VersionTLS11)
	require.Error(t, err, "TLS 1.1 is refused")
	_, err = served(t, ln.Addr().String(), tls.VersionTLS12)
	require.NoError(t, err)

	writePair(t, o, "two")
	show("one") // not looked at again yet
	now = now.Add(reloadInterval)
	show("two")
	require.NoError(t, os.WriteFile(o.TLSKeyFile, []byte("rubbish"), 0o600))
	now = now.Add(reloadInterval)
	show("two")
	writePair(t, o, "three")
	now = now.Add(reloadInterval)
	show("three")
}

// TestClientCertificates checks senders' certificates where they show one and asks nobody for one.
func TestClientCertificates(t *testing.T) {
	dir := t.TempDir()
	o := &HTTPOptions{TLSCertFile: filepath.Join(dir, "tls.crt"), TLSKeyFile: filepath.Join(dir, "tls.key")}
	writePair(t, o, "one")
	o.TLSClientCAFile = o.TLSKeyFile
	_, err := o.loadCertificate(slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "no certificate in PEM form")
	o.TLSClientCAFile = o.TLSCertFile
	config, err := o.loadCertificate(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Equal(t, tls.VerifyClientCertIfGiven, config.ClientAuth)
}
