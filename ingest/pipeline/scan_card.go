package pipeline

// The digits of card numbers (ISO/IEC 7812).
const (
	minCardDigits = 13
	maxCardDigits = 19
)

// findCard looks for a card number that begins at i: of a known issuer, of a length it gives out, with a right check digit,
// written whole or in the groups that are printed on cards.
func findCard(text string, i int) (end int, ok bool) {
	if i > 0 && (text[i-1] == '.' || text[i-1] == '_') {
		return 0, false
	}
	var digits [maxCardDigits]byte
	first := span(text, i, maxCardDigits+1, isDigit) - i
	if first >= minCardDigits {
		if first > maxCardDigits {
			return 0, false
		}
		copy(digits[:], text[i:i+first])
		return i + first, endsNumber(text, i+first) && isCard(digits[:first])
	}
	if first != 4 || i+first >= len(text) {
		return 0, false
	}
	separator := text[i+first]
	if separator != ' ' && separator != '-' {
		return 0, false
	}
	for _, groups := range [][]int{{4, 4, 4, 4, 3}, {4, 4, 4, 4}, {4, 6, 5}, {4, 6, 4}} {
		if n, end := readGroups(digits[:], text, i, groups); n > 0 && isCard(digits[:n]) {
			return end, true
		}
	}
	return 0, false
}

// readGroups reads groups of digits with one separator between them; n is 0 when they are of other sizes.
func readGroups(digits []byte, text string, i int, groups []int) (n, end int) {
	separator := text[i+groups[0]]
	for g, size := range groups {
		if g > 0 {
			if i >= len(text) || text[i] != separator {
				return 0, 0
			}
			i++
		}
		if span(text, i, size+1, isDigit)-i != size {
			return 0, 0
		}
		n += copy(digits[n:], text[i:i+size])
		i += size
	}
	if !endsNumber(text, i) {
		return 0, 0
	}
	return n, i
}

// endsNumber reports whether a number ends at i: no letter follows, and no fraction.
func endsNumber(text string, i int) bool {
	return ends(text, i) && (i+1 >= len(text) || text[i] != '.' || !isDigit(text[i+1]))
}

// isCard checks issuer, length and check digit.
func isCard(digits []byte) bool { return knownIssuer(digits) && luhn(digits) }

// luhn checks the last digit (ISO/IEC 7812-1, annex B).
func luhn(digits []byte) bool {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// knownIssuer reports whether the first digits belong to a card network that gives out numbers of this length.
func knownIssuer(digits []byte) bool {
	number := func(n int) (v int) {
		for _, d := range digits[:n] {
			v = v*10 + int(d-'0')
		}
		return v
	}
	one, two, three, four, n := number(1), number(2), number(3), number(4), len(digits)
	switch {
	case one == 4: // Visa
		return n == 13 || n == 16 || n == 19
	case two >= 51 && two <= 55, four >= 2221 && four <= 2720: // Mastercard
		return n == 16
	case two == 34, two == 37: // American Express
		return n == 15
	case four >= 3528 && four <= 3589: // JCB
		return n >= 16
	case three >= 300 && three <= 305, two == 36, two == 38, two == 39: // Diners Club
		return n == 14 || n == 16 || n == 19
	case four == 6011, two == 65, three >= 644 && three <= 649, two == 62: // Discover, UnionPay
		return n >= 16
	}
	return false
}
