package testkit

import (
	"os"
	"strconv"
	"testing"
)

// Rounds is how often a test with random data goes round: few times by default, as its seed is another one in every run, and
// times the number in the environment variable SEAMARK_ROUNDS where there is time, as at night.
func Rounds(t testing.TB, few int) int {
	t.Helper()
	text := os.Getenv("SEAMARK_ROUNDS")
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("SEAMARK_ROUNDS=%q is not a number from 1 up", text)
	}
	return few * n
}
