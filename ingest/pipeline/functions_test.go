package pipeline

import "testing"

// TestFunctions tells when a release of OTTL drops or renames a function or an argument that is checked.
func TestFunctions(t *testing.T) {
	have := functions(&patternBudget{})
	for _, name := range allowed() {
		if have[name] == nil {
			t.Errorf("OTTL has no function %s", name)
		}
	}
	lang, err := newLanguage()
	if err != nil {
		t.Fatal(err)
	}
	for name, statement := range map[string]string{
		"delete_matching_keys": `delete_matching_keys(log.attributes, "a")`,
		"keep_matching_keys":   `keep_matching_keys(log.attributes, "a")`,
		"replace_pattern":      `replace_pattern(log.body, "a", "b", SHA256, "<%s>")`,
		"replace_all_patterns": `replace_all_patterns(log.attributes, "value", "a", "b")`,
		"replace_match":        `replace_match(log.body, "a*", "b")`,
		"replace_all_matches":  `replace_all_matches(log.attributes, "a*", "b")`,
		"IsMatch":              `set(log.body, "x") where IsMatch(log.body, "a")`,
		"ExtractPatterns":      `set(log.cache, ExtractPatterns(log.body, "(?P<a>b)"))`,
		"ExtractGrokPatterns":  `set(log.cache, ExtractGrokPatterns(log.body, "%{A:a}", true, ["A=[a-z]+"]))`,
		"Format":               `set(log.body, Format("%03d %s", [1, "a"]))`,
	} {
		if checks()[name] == nil {
			t.Errorf("%s is not checked", name)
		}
		if _, _, err := lang.statement(statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if len(checks()) != 10 {
		t.Errorf("%d functions are checked, the table has 10", len(checks()))
	}
}
