package seamark

// CredentialKind says what a credential may be used for. Kinds are never interchangeable.
type CredentialKind uint8

// The credential kinds. Tokens of the first three kinds are for machines, sessions for people in the console.
const (
	IngestToken CredentialKind = iota + 1 // pushes data of one cluster
	QueryToken                            // reads the tenant's data
	AdminToken                            // reads, and changes the tenant's objects
	Session                               // a signed-in person; Role decides
	APIKey                                // a person's or a machine's key for the API and queries; what it was given decides
)

// String returns the kind as it stands in a token and in JSON.
func (k CredentialKind) String() string {
	switch k {
	case IngestToken:
		return "ingest"
	case QueryToken:
		return "query"
	case AdminToken:
		return "admin"
	case Session:
		return "session"
	case APIKey:
		return "api"
	}
	return "unknown"
}

// ParseTokenKind is the inverse of String for the token kinds.
func ParseTokenKind(s string) (CredentialKind, error) {
	for _, k := range []CredentialKind{IngestToken, QueryToken, AdminToken} {
		if k.String() == s {
			return k, nil
		}
	}
	return 0, Errorf(Invalid, "seamark-token-kind", "Token kind %q is unknown; use ingest, query or admin.", clip(s))
}

// Role is what a person may do in a tenant.
type Role string

// The built-in roles, from most to least.
const (
	RoleOwner  Role = "owner"
	RoleAdmin  Role = "admin"
	RoleEditor Role = "editor"
	RoleViewer Role = "viewer"
)

// Principal is who a request was proven to come from. Only the credential check makes one.
type Principal struct {
	Tenant       TenantID // zero only for an operator, who belongs to none
	Kind         CredentialKind
	CredentialID string    // token key id or session id, for logs and ledgers; never the secret
	Cluster      ClusterID // ingest tokens only
	ClusterName  string    // the slug that becomes the `cluster` label
	Signals      SignalSet // ingest tokens only
	Login        string    // sessions, and the API keys of people
	Role         Role      // sessions, and API keys that were given one
	Operator     bool      // sessions only
	// Only narrows what may be read of the tenant; nil: nothing is outside. Sessions and API keys only.
	Only *Restriction
}
