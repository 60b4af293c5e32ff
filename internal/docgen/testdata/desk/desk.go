// Package desk makes an error with what package shop has for it.
package desk

import "github.com/seamarkhq/seamark/internal/docgen/testdata/shop"

func order() error { return shop.Few(0, "seamark-order-empty") }
