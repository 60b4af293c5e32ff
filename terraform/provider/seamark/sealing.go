package seamark

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

// delivery is where the secret of a new credential goes. The server shows it once, and neither state nor plan may hold it: it is
// encrypted to a public key, or written to a file, or both.
type delivery struct {
	SealTo       *string      `tfsdk:"seal_to" json:"-"`
	SecretFile   *string      `tfsdk:"secret_file" json:"-"`
	SealedSecret types.String `tfsdk:"sealed_secret" json:"-"`
}

// deliveryText is what the documentation of each resource with a secret says.
const deliveryText = "The secret itself is shown once, and is in no state and no plan. `seal_to` has it encrypted to a public key: the state then holds " +
	"`sealed_secret`, which the owner of the private key alone can read, in Terraform by `provider::seamark::unseal`. `secret_file` has it written to a file " +
	"of the machine that runs Terraform. One of them must be set, or nobody would ever know the secret."

// deliveryAttributes adds those of a delivery.
func deliveryAttributes(attributes map[string]schema.Attribute) map[string]schema.Attribute {
	attributes["seal_to"] = optional("Public key (RSA, at least 2048 bits, PEM) that the secret is encrypted to, by RSA-OAEP with SHA-256.")
	attributes["secret_file"] = optional("File that the secret is written to, readable by its owner alone. It is not removed when the secret ends.")
	attributes["sealed_secret"] = schema.StringAttribute{
		Computed: true, MarkdownDescription: "The secret, encrypted to `seal_to`, in base64; none without, or after an import.",
		PlanModifiers: []planmodifier.String{sealedAgain{}},
	}
	return attributes
}

// deliveryHidden are the attributes of a delivery, which only who makes the secret has, and others like them.
func deliveryHidden(more ...string) []string {
	return append([]string{"seal_to", "secret_file", "sealed_secret"}, more...)
}

// deliveryChecks refuse a secret that nobody would get.
func deliveryChecks() []resource.ConfigValidator {
	return []resource.ConfigValidator{resourcevalidator.AtLeastOneOf(path.MatchRoot("seal_to"), path.MatchRoot("secret_file"))}
}

// open tests the delivery before the secret exists.
func (d *delivery) open() error {
	if d.SealTo == nil {
		return nil
	}
	if _, err := publicKey(*d.SealTo); err != nil {
		return &crud.FieldFault{Path: path.Root("seal_to"), Summary: "The secret cannot be sealed", Detail: err.Error()}
	}
	return nil
}

// imported reports whether the credential was not made by this resource, so that it has never been delivered.
func (d *delivery) imported() bool { return d.SealTo == nil && d.SecretFile == nil }

// moved reports whether the secret has to go elsewhere than the one before.
func (d *delivery) moved(prior *delivery) bool {
	return !equalText(d.SealTo, prior.SealTo) || !equalText(d.SecretFile, prior.SecretFile)
}

func equalText(a, b *string) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// deliver hands over a secret.
func (d *delivery) deliver(secret string) error {
	d.SealedSecret = types.StringNull()
	if d.SealTo != nil {
		key, err := publicKey(*d.SealTo)
		if err != nil {
			return err
		}
		sealed, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, key, []byte(secret), nil)
		if err != nil {
			return fmt.Errorf("encrypt the secret: %w", err)
		}
		d.SealedSecret = types.StringValue(base64.StdEncoding.EncodeToString(sealed))
	}
	if d.SecretFile != nil {
		return writeSecret(*d.SecretFile, secret)
	}
	return nil
}

// writeSecret writes a secret where nobody else can read it, also when the file was there with other rights.
func writeSecret(name, secret string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("write the secret: %w", err)
	}
	err = errors.Join(f.Chmod(0o600), f.Truncate(0))
	if err == nil {
		_, err = f.WriteString(secret + "\n")
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the secret: %w", err)
	}
	return nil
}

// shortestKeyBits keeps out keys that can be broken.
const shortestKeyBits = 2048

func publicKey(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("seal_to is not a public key in PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("seal_to is not a public key: %w", err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("seal_to is a %T; only RSA keys encrypt", parsed)
	}
	if bits := key.N.BitLen(); bits < shortestKeyBits {
		return nil, fmt.Errorf("seal_to has %d bits; it needs at least %d", bits, shortestKeyBits)
	}
	return key, nil
}

// unseal is the other way.
func unseal(sealed, privateKey string) (string, error) {
	ciphertext, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("the sealed secret is not base64: %w", err)
	}
	block, _ := pem.Decode([]byte(privateKey))
	if block == nil {
		return "", errors.New("the private key is not PEM")
	}
	key, err := privateRSA(block.Bytes)
	if err != nil {
		return "", err
	}
	secret, err := rsa.DecryptOAEP(sha256.New(), nil, key, ciphertext, nil)
	if err != nil {
		return "", errors.New("the secret was not sealed to this key")
	}
	return string(secret), nil
}

// privateRSA reads a key in the form of PKCS #8, or of PKCS #1, which older tools write.
func privateRSA(der []byte) (*rsa.PrivateKey, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("the private key is neither PKCS #8 nor PKCS #1")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the private key is a %T; only RSA keys are sealed to", parsed)
	}
	return key, nil
}

// sealedAgain plans another sealed secret where the secret or its key changes.
type sealedAgain struct{}

func (sealedAgain) Description(context.Context) string {
	return "Stays until the secret is rotated or sealed to another key."
}

func (m sealedAgain) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

func (sealedAgain) PlanModifyString(ctx context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.State.Raw.IsNull() || req.Plan.Raw.IsNull() {
		return
	}
	for _, name := range []string{"rotation", "seal_to", "secret_file"} {
		at := path.Root(name)
		if _, diags := req.Plan.Schema.AttributeAtPath(ctx, at); diags.HasError() {
			continue // not everything that is sealed can be rotated
		}
		var was, will types.String
		resp.Diagnostics.Append(req.State.GetAttribute(ctx, at, &was)...)
		resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, at, &will)...)
		if !was.Equal(will) {
			return
		}
	}
	resp.PlanValue = req.StateValue
}
