package guard

import "slices"

// isReserved reports whether a word, in capitals, begins or joins parts of a query, and so names nothing unless it is quoted.
func isReserved(upper string) bool {
	return slices.Contains([]string{
		"ALL", "AND", "ANTI", "ANY", "APPLY", "ARRAY", "AS", "ASC", "ASOF", "BETWEEN", "BY", "CASE", "COLLATE", "CROSS", "DESC", "DISTINCT", "DIV",
		"ELSE", "END", "EXCEPT", "EXISTS", "FETCH", "FINAL", "FORMAT", "FROM", "FULL", "GLOBAL", "GROUP", "HAVING", "ILIKE", "IN", "INNER", "INTERPOLATE",
		"INTERSECT", "INTERVAL", "INTO", "IS", "JOIN", "LEFT", "LIKE", "LIMIT", "MOD", "NOT", "OFFSET", "ON", "OR", "ORDER", "OUTER", "OVER",
		"PASTE", "PREWHERE", "QUALIFY", "REGEXP", "RIGHT", "SAMPLE", "SELECT", "SEMI", "SETTINGS", "THEN", "UNION", "USING", "WHEN", "WHERE",
		"WINDOW", "WITH",
	}, upper)
}

// isLiteral reports whether a word, in capitals, is a value.
func isLiteral(upper string) bool {
	return slices.Contains([]string{"NULL", "TRUE", "FALSE", "INF", "NAN"}, upper)
}
