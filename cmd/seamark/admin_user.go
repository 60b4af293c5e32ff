package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

type adminUserCmd struct {
	Create   userCreateCmd   `cmd:"" help:"Add a person to a tenant, or an operator."`
	Password userPasswordCmd `cmd:"" help:"Set a person's password."`
}

// passwordFlags says where a password comes from. It is never an argument: those stand in the process list.
type passwordFlags struct {
	PasswordStdin bool `name:"password-stdin" help:"Read the password from standard input; a random one is made and printed otherwise."`
}

func (p *passwordFlags) read() (password string, generated bool, err error) {
	if !p.PasswordStdin {
		return rand.Text(), true, nil
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && line == "" {
		return "", false, fmt.Errorf("read the password from standard input: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), false, nil
}

type userCreateCmd struct {
	passwordFlags
	Login    string `arg:"" help:"Login, usually an e-mail address."`
	Tenant   string `help:"Tenant's slug."`
	Role     string `enum:"owner,admin,editor,viewer" default:"viewer" help:"Role in the tenant."`
	Operator bool   `help:"Make an operator of the whole server instead."`
}

// check refuses a person who would be nowhere.
func (c *userCreateCmd) check() error {
	if c.Tenant == "" && !c.Operator {
		return errors.New("say where the person belongs: --tenant, or --operator for an operator of the whole server")
	}
	return nil
}

// Run adds a person.
func (c *userCreateCmd) Run(ctx context.Context, admin *adminCmd) error {
	if err := c.check(); err != nil {
		return err
	}
	return admin.with(ctx, func(d *tenant.Directory) error {
		password, generated, err := c.read()
		if err != nil {
			return err
		}
		spec := tenant.UserSpec{Login: c.Login, Password: password, Operator: c.Operator}
		if !c.Operator {
			t, err := d.FindTenantBySlug(ctx, c.Tenant)
			if err != nil {
				return err
			}
			spec.Memberships = map[seamark.TenantID]seamark.Role{t.ID: seamark.Role(c.Role)}
		}
		if _, err := d.CreateUser(ctx, spec); err != nil {
			return err
		}
		return announcePassword(c.Login, password, generated)
	})
}

type userPasswordCmd struct {
	passwordFlags
	Login string `arg:"" help:"Login."`
}

// Run sets a password, which ends the person's sessions.
func (c *userPasswordCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.with(ctx, func(d *tenant.Directory) error {
		password, generated, err := c.read()
		if err != nil {
			return err
		}
		if err := d.SetPassword(ctx, c.Login, password); err != nil {
			return err
		}
		return announcePassword(c.Login, password, generated)
	})
}

func announcePassword(login, password string, generated bool) error {
	if !generated {
		return nil
	}
	_, err := fmt.Printf("Login: %s  password: %s  (shown once)\n", login, password)
	return err
}
