// Package guard reads a customer's SQL and lets through only what reads the documented views: one SELECT, made of functions that
// stand in its list. What it returns is not the customer's text but a statement written anew from what was understood, with each
// view left open for whoever runs it to fill in; so nothing that guard has not understood reaches the engine. It knows no
// database, no tenant and no clock. Package sql uses it.
package guard
