package seamark

import "fmt"

// TenantID names a tenant for ever. It is an opaque ULID; the zero value is refused everywhere.
type TenantID string

// ClusterID names one cluster of a tenant. It is an opaque ULID.
type ClusterID string

// TenantNumber is the small number that a tenant's database and ClickHouse user are named after. It is given once and
// never reused, so that a late message of a deleted tenant can never land in another tenant's tables.
type TenantNumber uint32

// idLen is the length of a ULID in Crockford's base 32.
const idLen = 26

// ParseTenantID turns untrusted text into a TenantID. It and the token check are the only makers of one.
func ParseTenantID(s string) (TenantID, error) {
	if err := checkID(s); err != nil {
		return "", Errorf(Invalid, "seamark-tenant-malformed", "Tenant id %q %s.", clip(s), err)
	}
	return TenantID(s), nil
}

// ParseClusterID turns untrusted text into a ClusterID.
func ParseClusterID(s string) (ClusterID, error) {
	if err := checkID(s); err != nil {
		return "", Errorf(Invalid, "seamark-cluster-malformed", "Cluster id %q %s.", clip(s), err)
	}
	return ClusterID(s), nil
}

func checkID(s string) error {
	if len(s) != idLen {
		return fmt.Errorf("has %d characters, not %d", len(s), idLen)
	}
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' && c != 'I' && c != 'L' && c != 'O' && c != 'U' {
			continue
		}
		return fmt.Errorf("has %q at position %d, which is not a base 32 digit", c, i+1)
	}
	return nil
}

// clip shortens untrusted text for a message.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}

// Validate refuses the zero id and anything ParseTenantID would not have made, the last guard before data is written.
func (id TenantID) Validate() error {
	_, err := ParseTenantID(string(id))
	return err
}
