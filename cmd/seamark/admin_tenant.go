package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

type tenantDeleteCmd struct {
	Slug  string        `arg:"" help:"Tenant."`
	Grace time.Duration `default:"${delete_grace}" help:"How long the tenant can be restored; 0s purges at once."`
}

// Run begins a deletion.
func (c *tenantDeleteCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withTenant(ctx, c.Slug, func(d *tenant.Directory, t tenant.Tenant) error {
		ending, err := d.BeginDeletion(ctx, t.ID, c.Grace)
		if err != nil {
			return err
		}
		return admin.print(ending, "SLUG\tID\tPURGED AFTER", []string{fmt.Sprintf("%s\t%s\t%s", t.Slug, t.ID, ending.PurgeAfter.Format(time.RFC3339))})
	})
}

type tenantRestoreCmd struct {
	Slug string `arg:"" help:"Tenant."`
}

// Run undoes a deletion.
func (c *tenantRestoreCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withTenant(ctx, c.Slug, func(d *tenant.Directory, t tenant.Tenant) error {
		_, err := d.RestoreTenant(ctx, t.ID)
		return err
	})
}

type tenantCertificateCmd struct {
	ID   string `arg:"" optional:"" help:"Id of the tenant, which has no slug any more."`
	File string `help:"Check this certificate instead, without a server." type:"existingfile"`
}

// Run prints or checks a certificate.
func (c *tenantCertificateCmd) Run(ctx context.Context, admin *adminCmd) error {
	if c.File != "" {
		return c.check()
	}
	id, err := seamark.ParseTenantID(c.ID)
	if err != nil {
		return err
	}
	nc, js, err := admin.connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	certificates, err := tenant.OpenCertificates(ctx, js, nil, admin.NATSReplicas, nil)
	if err != nil {
		return err
	}
	signed, err := certificates.Find(ctx, id)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(signed)
}

func (c *tenantCertificateCmd) check() error {
	body, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	var signed tenant.SignedCertificate
	if err := json.Unmarshal(body, &signed); err != nil {
		return errors.New(c.File + " is no certificate: " + err.Error())
	}
	key, err := tenant.VerifyCertificate(signed)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("The certificate for tenant %s is as the key %s signed it.\n", signed.Certificate.Tenant, base64.RawURLEncoding.EncodeToString(key))
	return err
}
