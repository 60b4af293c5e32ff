package receivers

import _ "embed"

// defaultTemplates replaces what Alertmanager's own templates say: value and threshold first, evidence below, links at the
// end. Tenants' templates replace it in turn, by defining the same names.
//
//go:embed default.tmpl
var defaultTemplates string
