package ctl

import (
	"bufio"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/api/client"
)

// own is a command that calls no single operation.
type own struct {
	help string
	run  func(r *run, words []string, f flags) error
}

func ownCommands() map[string]own {
	return map[string]own{
		"login": {`Signs in and keeps the session or token in a context, which becomes the current one.

  seamark ctl login --address URL --user LOGIN [--tenant SLUG] [--name CONTEXT] [--password-stdin]
  seamark ctl login --address URL --token-stdin [--name CONTEXT]

  --ca-file FILE   certificates that are trusted beside the system's
  --insecure       take any certificate`, login},
		"logout": {`Signs out of a context and forgets its session.

  seamark ctl logout [--context NAME]`, logout},
		"context": {`Lists and changes contexts: each is a server with a credential.

  seamark ctl context list
  seamark ctl context use NAME
  seamark ctl context set NAME --address URL [--token-file FILE] [--ca-file FILE] [--insecure]
  seamark ctl context delete NAME`, contexts},
		"completion": {`Prints a script that completes commands, flags and values in a shell.

  source <(seamark ctl completion bash)     in ~/.bashrc
  source <(seamark ctl completion zsh)      in ~/.zshrc
  seamark ctl completion fish | source      in ~/.config/fish/config.fish`, completion},
	}
}

func ownNames() []string { return append(slices.Sorted(maps.Keys(ownCommands())), "call") }

// login keeps a credential in a context.
func login(r *run, words []string, f flags) error {
	if len(words) > 0 {
		return usagef("login takes no argument %q", words[0])
	}
	texts := map[string]string{}
	for _, name := range []string{"user", "tenant", "name", "ca-file", "insecure", "token-stdin", "password-stdin"} {
		value, _, err := f.take(name)
		if err != nil {
			return err
		}
		texts[name] = value
	}
	if err := f.rest("login"); err != nil {
		return err
	}
	address := first(r.global.address, r.Getenv("SEAMARK_ADDRESS"))
	if address == "" || (texts["user"] == "") == (texts["token-stdin"] == "") {
		return usagef("login needs --address, and --user or --token-stdin")
	}
	name := first(texts["name"], texts["tenant"], "default")
	if err := errors.Join(checkName(name), r.needsFolder()); err != nil {
		return err
	}
	insecure, _ := strconv.ParseBool(texts["insecure"])
	p := &place{Address: address, CAFile: texts["ca-file"], Insecure: insecure}
	o, err := p.options(r)
	if err != nil {
		return err
	}
	if texts["user"] == "" {
		return r.keepToken(name, p, o)
	}
	password, err := r.password(texts["password-stdin"] != "")
	if err != nil {
		return err
	}
	body := map[string]any{"login": texts["user"], "password": password}
	if texts["tenant"] != "" {
		body["tenant"] = texts["tenant"]
	}
	s, err := r.signIn(o, "createSession", body)
	if err != nil {
		return err
	}
	p.Session = true
	if err := r.keep(name, s); err != nil {
		return err
	}
	return r.use(name, p)
}

// options returns how a client reaches the place.
func (p *place) options(r *run) (client.Options, error) {
	o := client.Options{Address: p.Address, UserAgent: "seamark-ctl/" + r.Version, InsecureSkipVerify: p.Insecure}
	if p.CAFile == "" {
		return o, nil
	}
	var err error
	o.CACertificates, err = os.ReadFile(p.CAFile)
	return o, err
}

// keepToken stores a token that the server knows.
func (r *run) keepToken(name string, p *place, o client.Options) error {
	line, err := bufio.NewReader(r.In).ReadString('\n')
	if o.Token = strings.TrimSpace(line); o.Token == "" {
		return usagef("there is no token on the standard input: %v", err)
	}
	c, err := client.NewWithOptions(o)
	if err != nil {
		return err
	}
	// A token need not be allowed anything that this asks for; 403 proves it, too.
	if _, err := c.ListClusters(r.ctx, nil); err != nil && !client.IsStatus(err, 403) {
		return err
	}
	p.TokenFile = filepath.Join(filepath.Dir(r.configPath()), "ctl-sessions", name+".token")
	if err := writePrivate(p.TokenFile, []byte(o.Token+"\n")); err != nil {
		return err
	}
	return r.use(name, p)
}

// use stores a context and makes it the current one.
func (r *run) use(name string, p *place) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	c.Contexts[name], c.Current = p, name
	if err := r.save(c); err != nil {
		return err
	}
	return r.print("The current context is " + name + ", " + p.Address + ".")
}

func (r *run) password(fromInput bool) (string, error) {
	if fromInput {
		line, err := bufio.NewReader(r.In).ReadString('\n')
		if line == "" {
			return "", usagef("there is no password on the standard input: %v", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	if r.ReadPassword == nil {
		return "", usagef("there is no terminal to ask for the password; use --password-stdin")
	}
	return r.ReadPassword("Password: ")
}

// logout ends the session of a context. The file goes also when the server does not answer.
func logout(r *run, words []string, f flags) error {
	if err := f.rest("logout"); err != nil || len(words) > 0 {
		return errors.Join(err, usagef("logout takes no argument; see --context"))
	}
	name, p, err := r.chosen()
	if err != nil {
		return err
	}
	if !p.Session {
		return usagef("nobody is signed in to this context")
	}
	ended := func() error {
		c, err := r.dial(false)
		if err != nil {
			return err
		}
		return c.DeleteSession(r.ctx)
	}()
	if client.IsStatus(ended, 401) {
		ended = nil // it is over already
	}
	return errors.Join(ended, os.Remove(r.sessionPath(name)))
}

// contexts lists and changes contexts.
func contexts(r *run, words []string, f flags) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	if len(words) == 0 || words[0] == "list" {
		if err := f.rest("context list"); err != nil {
			return err
		}
		return r.listContexts(c)
	}
	if len(words) != 2 {
		return usagef("context takes list, use NAME, set NAME or delete NAME")
	}
	name := words[1]
	switch words[0] {
	case "use":
		if c.Contexts[name] == nil {
			return usagef("there is no context %q", name)
		}
		if err := f.rest("context use"); err != nil {
			return err
		}
		return r.use(name, c.Contexts[name])
	case "set":
		return r.setContext(c, name, f)
	case "delete":
		return r.deleteContext(c, name, f)
	}
	return usagef("context takes list, use NAME, set NAME or delete NAME")
}

func (r *run) listContexts(c *config) error {
	list := []any{}
	for _, name := range slices.Sorted(maps.Keys(c.Contexts)) {
		p, o := c.Contexts[name], newObject()
		o.set("name", name)
		o.set("address", p.Address)
		o.set("current", name == c.Current)
		credential := "none"
		switch {
		case p.Session:
			credential = "session"
		case p.TokenFile != "":
			credential = "token"
		}
		o.set("credential", credential)
		list = append(list, o)
	}
	whole := newObject()
	whole.set("items", list)
	return r.showValue(&command{}, whole)
}

func (r *run) setContext(c *config, name string, f flags) error {
	if err := checkName(name); err != nil {
		return err
	}
	p := &place{}
	if old := c.Contexts[name]; old != nil {
		*p = *old
	}
	caFile, givenCA, err := f.take("ca-file")
	if err != nil {
		return err
	}
	insecure, givenInsecure, err := f.take("insecure")
	if err != nil {
		return err
	}
	if err := f.rest("context set"); err != nil {
		return err
	}
	if givenCA {
		p.CAFile = caFile
	}
	if givenInsecure {
		p.Insecure = insecure == "true"
	}
	if r.global.address != "" && r.global.address != p.Address {
		p.Address, p.Session, p.TokenFile = r.global.address, false, "" // a credential belongs to its server
	}
	if r.global.tokenFile != "" {
		if p.TokenFile, err = filepath.Abs(r.global.tokenFile); err != nil {
			return err
		}
		p.Session = false
	}
	if p.Address == "" {
		return usagef("context set needs --address")
	}
	return r.use(name, p)
}

func (r *run) deleteContext(c *config, name string, f flags) error {
	if err := f.rest("context delete"); err != nil {
		return err
	}
	if c.Contexts[name] == nil {
		return usagef("there is no context %q", name)
	}
	if err := os.Remove(r.sessionPath(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	delete(c.Contexts, name)
	if c.Current == name {
		c.Current = ""
	}
	return r.save(c)
}

// checkName refuses names that are no file's.
func checkName(name string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`).MatchString(name) {
		return usagef("the context's name %q is not made of up to 64 letters, digits, dots, dashes and underscores", name)
	}
	return nil
}
