package ctl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/api/client"
)

// config is ctl.yaml.
type config struct {
	Current  string            `yaml:"current,omitempty"`
	Contexts map[string]*place `yaml:"contexts,omitempty"`
}

// place is a context: a server with a credential.
type place struct {
	Address   string `yaml:"address"`
	TokenFile string `yaml:"token_file,omitempty"` // holds a token
	Session   bool   `yaml:"session,omitempty"`    // signed in with `login`; the session stands in a file beside the configuration
	CAFile    string `yaml:"ca_file,omitempty"`
	Insecure  bool   `yaml:"insecure,omitempty"` // takes any certificate
}

// session is what a sign-in gave.
type session struct {
	Token   string    `json:"token"`
	Refresh string    `json:"refresh_token"`
	Expires time.Time `json:"expires_at"`
}

// load reads the configuration; an absent file is an empty one.
func (r *run) load() (*config, error) {
	if r.config != nil {
		return r.config, nil
	}
	c := &config{Contexts: map[string]*place{}}
	if r.configPath() == "" {
		return c, nil
	}
	text, err := os.ReadFile(r.configPath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		dec := yaml.NewDecoder(bytes.NewReader(text))
		dec.KnownFields(true)
		if err := dec.Decode(c); err != nil {
			return nil, fmt.Errorf("%s: %w", r.configPath(), err)
		}
	}
	if c.Contexts == nil {
		c.Contexts = map[string]*place{}
	}
	r.config = c
	return c, nil
}

// save writes the configuration, which only its owner may read.
func (r *run) save(c *config) error {
	if err := r.needsFolder(); err != nil {
		return err
	}
	text, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	return writePrivate(r.configPath(), text)
}

// needsFolder fails where there is no place for contexts.
func (r *run) needsFolder() error {
	if r.configPath() == "" {
		return usagef("there is no folder for contexts: set HOME, XDG_CONFIG_HOME or SEAMARK_CTL_CONFIG, or use SEAMARK_ADDRESS and SEAMARK_TOKEN")
	}
	return nil
}

// writePrivate writes a file that only its owner may read, whole or not at all.
func writePrivate(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// chosen returns the context that the command is for: --context, SEAMARK_CONTEXT, or the current one. Without any it is
// empty, for those who give the address. Who gives the token, too, needs no context, and no file is read for them.
func (r *run) chosen() (string, *place, error) {
	named := first(r.global.context, r.Getenv("SEAMARK_CONTEXT")) != ""
	if !named && r.Getenv("SEAMARK_TOKEN") != "" && first(r.global.address, r.Getenv("SEAMARK_ADDRESS")) != "" {
		return "", &place{}, nil
	}
	c, err := r.load()
	if err != nil {
		return "", nil, err
	}
	name := first(r.global.context, r.Getenv("SEAMARK_CONTEXT"), c.Current)
	if name == "" {
		return "", &place{}, nil
	}
	if c.Contexts[name] == nil {
		return "", nil, usagef("there is no context %q; see `seamark ctl context list`", name)
	}
	return name, c.Contexts[name], nil
}

func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// dial returns a client with the credential of the chosen context; flags and environment win. Where nobody has to be known,
// anonymous leaves the credential out.
func (r *run) dial(anonymous bool) (*client.Client, error) {
	name, at, err := r.chosen()
	if err != nil {
		return nil, err
	}
	o := client.Options{Address: first(r.global.address, r.Getenv("SEAMARK_ADDRESS"), at.Address), UserAgent: "seamark-ctl/" + r.Version}
	if o.Address == "" {
		return nil, usagef("say which server: --address, SEAMARK_ADDRESS, or a context made by `seamark ctl login`")
	}
	own := o.Address == at.Address // whom the context trusts is its own server, as with the credential
	o.InsecureSkipVerify = own && at.Insecure
	if own && at.CAFile != "" {
		if o.CACertificates, err = os.ReadFile(at.CAFile); err != nil {
			return nil, err
		}
	}
	if !anonymous {
		if o.Token, err = r.token(name, at, o); err != nil {
			return nil, err
		}
	}
	return client.NewWithOptions(o)
}

// token returns the credential. One of another server is never sent: a context's belongs to its address.
func (r *run) token(name string, at *place, o client.Options) (string, error) {
	if token := r.Getenv("SEAMARK_TOKEN"); token != "" {
		return token, nil
	}
	file := r.global.tokenFile
	if file == "" && o.Address != at.Address {
		return "", usagef("there is no token for %s: set SEAMARK_TOKEN or --token-file", o.Address)
	}
	if file = first(file, at.TokenFile); file != "" {
		text, err := os.ReadFile(file)
		return strings.TrimSpace(string(text)), err
	}
	if !at.Session {
		return "", usagef("there is no credential: sign in with `seamark ctl login`, or set SEAMARK_TOKEN or --token-file")
	}
	return r.sessionToken(name, o)
}

func (r *run) sessionPath(name string) string {
	return filepath.Join(filepath.Dir(r.configPath()), "ctl-sessions", name+".json")
}

// sessionToken returns the token of the context's session, a fresh one when it ends within half a minute.
func (r *run) sessionToken(name string, o client.Options) (string, error) {
	text, err := os.ReadFile(r.sessionPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", usagef("nobody is signed in to %s; use `seamark ctl login`", name)
	}
	if err != nil {
		return "", err
	}
	var s session
	if err := json.Unmarshal(text, &s); err != nil {
		return "", fmt.Errorf("%s: %w", r.sessionPath(name), err)
	}
	if s.Expires.Sub(r.Now()) > 30*time.Second || s.Refresh == "" {
		return s.Token, nil
	}
	fresh, err := r.signIn(o, "refreshSession", map[string]any{"refresh_token": s.Refresh})
	if err != nil {
		return "", fmt.Errorf("the session of %s is over; sign in again with `seamark ctl login`: %w", name, err)
	}
	return fresh.Token, r.keep(name, fresh)
}

// keep stores a session.
func (r *run) keep(name string, s *session) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return writePrivate(r.sessionPath(name), text)
}

// signIn calls an operation that answers with a session.
func (r *run) signIn(o client.Options, operation string, body map[string]any) (*session, error) {
	o.Token = ""
	c, err := client.NewWithOptions(o)
	if err != nil {
		return nil, err
	}
	op, err := findOperation(operation)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	stream, err := c.Call(r.ctx, op, nil, client.Body{ContentType: "application/json", Reader: bytes.NewReader(text)})
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }()
	s := new(session)
	if err := json.NewDecoder(stream).Decode(s); err != nil {
		return nil, fmt.Errorf("read the session: %w", err)
	}
	return s, nil
}
