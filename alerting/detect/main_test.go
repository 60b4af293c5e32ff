package detect_test

import (
	"testing"

	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
