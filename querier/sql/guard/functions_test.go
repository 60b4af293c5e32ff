package guard_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestEveryFunctionIsDecided fails when a version of the engine brings a function that nobody has decided about.
func TestEveryFunctionIsDecided(t *testing.T) {
	text, err := os.ReadFile("functions.txt")
	if err != nil {
		t.Fatal(err)
	}
	decided := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] != "#" {
			decided[fields[1]] = strings.Join(append([]string{fields[0]}, fields[2:]...), " ")
		}
	}
	ch := testkit.ClickHouse(t)
	tcp, _ := ch.Addrs()
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{tcp}, DialContext: engine.DialClickHouse, Auth: clickhouse.Auth{Username: ch.AdminUser(), Password: ch.AdminPassword()}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	var list []struct {
		Name        string `ch:"name"`
		Aggregate   bool   `ch:"aggregate"`
		Insensitive bool   `ch:"insensitive"`
	}
	if err := conn.Select(context.WithoutCancel(t.Context()), &list, "SELECT name, is_aggregate = 1 AS aggregate, case_insensitive = 1 AS insensitive FROM system.functions"); err != nil {
		t.Fatal(err)
	}
	if len(list) < 1500 {
		t.Errorf("the engine tells of %d functions only", len(list))
	}
	for _, f := range list {
		want := "yes"
		if f.Aggregate {
			want += " a"
		}
		if f.Insensitive {
			want += " i"
		}
		if got := decided[f.Name]; got != "no" && got != want {
			t.Errorf("%s: functions.txt says %q, the engine %q", f.Name, got, want)
		}
		delete(decided, f.Name)
	}
	for name := range decided {
		t.Errorf("%s: the engine has no such function", name)
	}
}

// TestDocsListTheFunctions compares the list that customers read.
func TestDocsListTheFunctions(t *testing.T) {
	text, err := os.ReadFile("functions.txt")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := os.ReadFile("../../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	_, listed, _ := strings.Cut(string(docs), "## Functions")
	words := map[string]bool{}
	for _, word := range strings.FieldsFunc(listed, func(r rune) bool { return strings.ContainsRune(" ,.\n`", r) }) {
		words[word] = true
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "yes" && !words[fields[1]] {
			t.Errorf("docs/sql.md does not list %s", fields[1])
		}
	}
}

// FuzzCheck shows that whatever comes, the statement for the engine is one that guard lets through again, and says the same.
func FuzzCheck(f *testing.F) {
	g := newGuard(f)
	for _, sql := range []string{
		"SELECT body FROM logs WHERE namespace = {n:String} -- x", "WITH a AS (SELECT 1) SELECT * EXCEPT x FROM a", "SELECT 'it''s\\n', \"x\"::Array(String)[1].2",
		"SELECT count() FILTER (WHERE 1) OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM metrics UNION SELECT 1", "SELECT CASE WHEN 1 THEN 2 END, INTERVAL 1 DAY, x -> file(x)",
	} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		s, err := g.Check(sql)
		if err != nil {
			return
		}
		once, err := s.Render(func(view string) (string, error) { return " SELECT 1 AS `" + view + "` ", nil })
		if err != nil {
			t.Fatal(err)
		}
		again, err := g.Check(once)
		if err != nil {
			if strings.Contains(err.Error(), "deep") || strings.Contains(err.Error(), "bytes") {
				return // quotes and definitions made it longer
			}
			t.Fatalf("%q became %q, which is refused: %v", sql, once, err)
		}
		if twice, _ := again.Render(nil); strings.TrimSpace(twice) != strings.TrimSpace(once) {
			t.Fatalf("%q became %q and then %q", sql, once, twice)
		}
	})
}
