package tenant_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/tenant"
)

// differences compares two documents, written as JSON; "" is none.
func differences(t *testing.T, before, after string) tenant.Differences {
	t.Helper()
	document := func(text string) any {
		if text == "" {
			return nil
		}
		return json.RawMessage(text)
	}
	found, err := tenant.Compare(document(before), document(after))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestCompare(t *testing.T) {
	for name, c := range map[string]struct{ before, after, want string }{
		"nothing":          {`{"a":1}`, `{"a":1}`, ``},
		"a field":          {`{"a":1,"b":"x"}`, `{"a":2,"b":"x"}`, `.a 1 2`},
		"a field more":     {`{}`, `{"a":[1]}`, `.a  [1]`},
		"a field less":     {`{"a":null}`, `{}`, `.a null `},
		"in depth":         {`{"a":{"b":{"c":1}}}`, `{"a":{"b":{"c":true}}}`, `.a.b.c 1 true`},
		"a strange name":   {`{}`, `{"a.b":1}`, `["a.b"]  1`},
		"one that is new":  {``, `{"a":1,"b":{"c":2}}`, "\n.a  1\n.b  {\"c\":2}"},
		"one that is gone": {`{"a":1}`, ``, `.a 1 `},
		"large numbers":    {`{"a":9007199254740993}`, `{"a":9007199254740992}`, `.a 9007199254740993 9007199254740992`},
		"a list of words":  {`{"a":["x"]}`, `{"a":["x","y"]}`, `.a ["x"] ["x","y"]`},
		"elements by name": {
			`{"a":[{"name":"x","v":1},{"name":"y"}]}`, `{"a":[{"name":"x","v":2},{"name":"z"}]}`,
			"\n.a[name=x].v 1 2\n.a[name=y] {\"name\":\"y\"} \n.a[name=z]  {\"name\":\"z\"}",
		},
		"elements by id":       {`{"a":[{"id":1,"v":1}]}`, `{"a":[{"id":1,"v":2}]}`, `.a[id=1].v 1 2`},
		"rules":                {`{"a":[{"alert":"X","expr":"1"}]}`, `{"a":[{"alert":"X","expr":"2"}]}`, `.a[alert=X].expr "1" "2"`},
		"recording rules":      {`{"a":[{"record":"x:y","expr":"1"}]}`, `{"a":[{"record":"x:y","expr":"2"}]}`, `.a[record=x:y].expr "1" "2"`},
		"elements in an order": {`{"a":[{"name":"x"},{"name":"y"}]}`, `{"a":[{"name":"y"},{"name":"x"}]}`, `.a[order] "x, y" "y, x"`},
		"names that are twice": {`{"a":[{"name":"x"}]}`, `{"a":[{"name":"x"},{"name":"x"}]}`, `.a [{"name":"x"}] [{"name":"x"},{"name":"x"}]`},
		"another kind":         {`{"a":{"b":1}}`, `{"a":[1]}`, `.a {"b":1} [1]`},
		"when it was changed":  {`{"updated_at":1,"a":{"updated_at":1}}`, `{"updated_at":2,"a":{"updated_at":2}}`, `.a.updated_at 1 2`},
		"a list":               {`[1]`, `[2]`, ` [1] [2]`},
	} {
		t.Run(name, func(t *testing.T) {
			found := differences(t, c.before, c.after)
			var lines []string
			for _, d := range found.List {
				lines = append(lines, fmt.Sprintf("%s %s %s", d.Path, d.Before, d.After))
			}
			if got := strings.Join(lines, "\n"); got != strings.TrimPrefix(c.want, "\n") || found.Truncated {
				t.Errorf("got %q, truncated %v, want %q", got, found.Truncated, c.want)
			}
		})
	}
}

// TestCompareHidesSecrets has a secret in every place where a document could have one.
func TestCompareHidesSecrets(t *testing.T) {
	const secret, token = "hunter2", "smk_query_kHC2pK5Lmw0h_o6GknbpNvXjQbxZdlc9Wcc42mgjPgY1Ln2dR"
	for name, document := range map[string]string{
		"a member":           `{"password":"hunter2"}`,
		"in depth":           `{"to":[{"name":"x","http":{"Authorization":"hunter2"}}]}`,
		"an object":          `{"client_secret":{"value":"hunter2"}}`,
		"in a URL":           `{"url":"https://ada:hunter2@example.com/"}`,
		"a token as a value": `{"title":"` + token + `"}`,
		"a token as a name":  `{"` + token + `":1,"x":{"` + token + `":1}}`,
		"a token by name":    `{"list":[{"name":"` + token + `"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, other := range []string{``, `{}`, `{"password":"x","to":[{"name":"x","http":{"Authorization":"x"}}],"url":"x","title":"","list":[]}`} {
				for _, found := range []tenant.Differences{differences(t, document, other), differences(t, other, document)} {
					text, err := json.Marshal(found)
					if err != nil {
						t.Fatal(err)
					}
					if len(found.List) == 0 || strings.Contains(string(text), secret) || strings.Contains(string(text), token[len(token)-20:]) {
						t.Errorf("got %s, want differences without the secret", text)
					}
				}
			}
		})
	}
	if found := differences(t, `{"secret":"a"}`, `{"secret":"b"}`); len(found.List) != 1 || string(found.List[0].After) != `"(not shown)"` {
		t.Errorf("got %+v, want it told that the secret is another", found)
	}
	if found := differences(t, `{"secret":"a"}`, `{"secret":"a"}`); len(found.List) != 0 {
		t.Errorf("got %+v of a secret that is the same", found)
	}
}

func TestCompareIsBounded(t *testing.T) {
	long := differences(t, `{"a":""}`, `{"a":"`+strings.Repeat("x", 3000)+`"}`)
	if got := string(long.List[0].After); got != `"(3002 bytes)"` {
		t.Errorf("got %s for a long value, want its size", got)
	}
	for name, value := range map[string]int{"many fields": 1, "large fields": 1000} {
		document := map[string]string{}
		for i := range 300 {
			document[fmt.Sprintf("f%d", i)] = strings.Repeat("x", value)
		}
		found, err := tenant.Compare(nil, document)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(found.List)
		if err != nil || !found.Truncated || len(found.List) > 200 || len(text) > 32<<10 {
			t.Errorf("%s: got %d differences of %d bytes, truncated %v, %v", name, len(found.List), len(text), found.Truncated, err)
		}
	}
}
