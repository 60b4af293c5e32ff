package tenant

import "github.com/seamarkhq/seamark/internal/seamark"

// TenantOf returns the tenant with a number, also one that was deleted and is still known; false when there is none.
func (d *Directory) TenantOf(n seamark.TenantNumber) (seamark.TenantID, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, r := range d.tenants.rows {
		if r.doc.Number == n {
			return r.doc.ID, true
		}
	}
	return "", false
}
