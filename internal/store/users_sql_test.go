package store

import (
	"fmt"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// UserStatements returns all statements that a tenant's user is made, changed and taken away by.
func UserStatements(user, password string, c *seamark.Ceilings) []string {
	list := append(userStatements(user, password), wallStatements(user, c)...)
	return append(list, removeStatements(user)...)
}

func TestUserSQLGolden(t *testing.T) {
	statements := map[string]*logSQL{}
	quota := seamark.DefaultCeilings(4)
	quota.MinuteBytes, quota.DayBytes = 1<<30, 1<<40
	for name, c := range map[string]seamark.Ceilings{"no quota": seamark.DefaultCeilings(4), "quotas": quota} {
		for i, sql := range UserStatements("t0001", "secret", &c) {
			b := newLogSQL()
			b.WriteString(sql)
			statements[fmt.Sprintf("%s, %d", name, i+1)] = b
		}
	}
	golden(t, "users.golden.sql", statements)
}
