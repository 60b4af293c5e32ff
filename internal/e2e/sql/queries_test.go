package sql_test

import (
	"net/http"
	"testing"
)

func TestSQL(t *testing.T) {
	w := newWorld(t)
	t.Run("queries", w.testQueries)
	t.Run("escapes", w.testEscapes)
	t.Run("engine wall", w.testEngineWall)
}

// question is a statement and its answer as lines of CSV.
type question struct{ sql, want string }

func (w *world) testQueries(t *testing.T) {
	parameters := map[string]any{}
	_ = parameters
	for _, q := range logQuestions() {
		if status, got := w.csv(t, w.Account, q.sql, nil); status != http.StatusOK || got != q.want {
			t.Errorf("%s:\n got %d %s\nwant %s", q.sql, status, got, q.want)
		}
	}
}

func logQuestions() []question {
	return []question{
		{"SELECT count() FROM logs WHERE namespace = 'bank'", "250"},
	}
}
