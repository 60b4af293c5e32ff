// Package shop has one error of each form that the code uses.
package shop

import "github.com/seamarkhq/seamark/internal/seamark"

const (
	soldID   = "seamark-ware-sold"
	hiddenID = "seamark-ware-hidden"
)

func direct(n int) error {
	return seamark.Errorf(seamark.TooLarge, "seamark-ware-large", "It has %d bytes; the limit is %.64q "+"(--shop.max).", n, "x")
}

func wrapped(err error) error {
	return seamark.Wrap(err, seamark.NotFound, soldID, "It is sold.")
}

func named(err error, id string) error { return seamark.Wrap(err, seamark.Invalid, id, "%s", err) }

func busy(format string, args ...any) error {
	return seamark.Errorf(seamark.Unavailable, "seamark-shop-busy", format, args...)
}

func calls(err error, rejected interface{ Add(int, string, string) }) (string, []error) {
	rejected.Add(1, "seamark-ware-broken", "Ware 7 is broken.")
	return hiddenID, []error{named(err, "seamark-ware-odd"), busy("Come back in %d s.", 3)}
}

// Few is for other packages.
func Few(n int, id string) error {
	return seamark.Errorf(seamark.Invalid, id, "Ask for more than %d wares.", n)
}
