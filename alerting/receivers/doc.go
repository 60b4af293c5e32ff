// Package receivers tells people and services of alerts: one notifier per kind of receiver, each with the service's form,
// signature, limits and rules for trying again. Every connection goes through the guard, and every template runs in a
// sandbox. It must not know tenants, the store or the bus; alerting imports it.
package receivers
