package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// keyBytes is the length of root and data keys: AES-256.
const keyBytes = 32

// RootKey wraps the data keys. It is all that must be kept beside a backup, and never stands in one. Printing it shows its
// id alone.
type RootKey struct {
	id   string
	aead cipher.AEAD
}

// ID names the key without telling it: the beginning of a hash, in hex.
func (k RootKey) ID() string { return k.id }

// String implements fmt.Stringer.
func (k RootKey) String() string { return "root key " + k.id }

// GenerateRoot returns the text of a new root key: 32 random bytes in base 64.
func GenerateRoot() string {
	var secret [keyBytes]byte
	_, _ = rand.Read(secret[:]) // never fails (crypto/rand)
	return base64.StdEncoding.EncodeToString(secret[:])
}

// ParseRoot reads a root key: 32 bytes in base 64, or in hex. The error never holds the text.
func ParseRoot(text string) (RootKey, error) {
	text = strings.TrimSpace(text)
	secret, err := hex.DecodeString(text)
	if err != nil {
		secret, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	}
	if err != nil || len(secret) != keyBytes {
		return RootKey{}, errors.New("a root key is 32 bytes in base 64 or hex; `seamark keys generate` prints a new one")
	}
	aead, err := newAEAD(secret)
	if err != nil {
		return RootKey{}, err
	}
	sum := sha256.Sum256(append([]byte("seamark root key id\x00"), secret...))
	return RootKey{id: hex.EncodeToString(sum[:8]), aead: aead}, nil
}

// newAEAD returns AES-256-GCM that draws a nonce of 96 bits for each value and puts it in front. A key may seal 2^32 values
// that way (NIST SP 800-38D 8.3); the control plane seals a few per change.
func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// RootSource says where the root key comes from.
type RootSource struct {
	// Text is the key itself, from the environment. It wins over File.
	Text string
	// File holds the key.
	File string
	// Create makes File where it is missing and nothing has been sealed yet. It is for a file beside the only store; elsewhere
	// each process would make a key of its own.
	Create bool
}

// errNoRoot says that the source has no key.
var errNoRoot = errors.New("there is no root key")

// Load reads the root key; it makes none.
func (s *RootSource) Load() (RootKey, error) {
	if s.Text != "" {
		k, err := ParseRoot(s.Text)
		if err != nil {
			return k, fmt.Errorf("SEAMARK_KEYS_ROOT: %w", err)
		}
		return k, nil
	}
	if s.File == "" {
		return RootKey{}, errNoRoot
	}
	text, err := os.ReadFile(s.File)
	if errors.Is(err, fs.ErrNotExist) {
		return RootKey{}, errNoRoot
	}
	if err != nil {
		return RootKey{}, fmt.Errorf("read the root key: %w", err)
	}
	k, err := ParseRoot(string(text))
	if err != nil {
		return k, fmt.Errorf("%s: %w", s.File, err)
	}
	return k, nil
}

// name says where the key is looked for, for messages.
func (s *RootSource) name() string {
	switch {
	case s.Text != "":
		return "SEAMARK_KEYS_ROOT"
	case s.File != "":
		return s.File
	}
	return "--keys.root-file"
}

// createRootFile makes a file with a new root key that only its owner reads. It never replaces one.
func createRootFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make the root key: %w", err)
	}
	_, err = f.WriteString(GenerateRoot() + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the root key: %w", err), os.Remove(path))
	}
	// What is sealed under the key is durable at once, so the key must be before.
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("sync the root key's folder: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
