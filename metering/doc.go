// Package metering counts what tenants use beside what they send: queries and what they read, what is stored, what is active. It
// compares the meter with the store, forecasts a month and watches budgets. What tenants send is counted by package ingest, in the
// messages that carry it. It knows no HTTP and no directory; package app hands it both ends.
package metering
