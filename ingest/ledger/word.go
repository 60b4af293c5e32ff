package ledger

import "strings"

// isWord reports whether a byte belongs to a word: letters, digits, every byte outside ASCII, and the signs that stand
// inside tokens, addresses, numbers and paths of keys.
func isWord(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80:
		return true
	}
	return strings.IndexByte("._-+@/%~", c) >= 0
}

// masked returns a word without what is secret by its own looks.
func masked(word string) string {
	if at := strings.Index(word, "smk_"); at >= 0 {
		return masked(word[:at]) + "smk_" + mask
	}
	if at := strings.IndexByte(word, '@'); at > 0 && at < len(word)-1 {
		return maskAddress(word, at)
	}
	if strings.HasPrefix(word, "eyJ") && strings.Count(word, ".") == 2 {
		return mask // a JSON web token
	}
	return maskDigits(word)
}

// maskAddress hides an e-mail address, and the user information of a URL, as far as it stands in one word.
func maskAddress(word string, at int) string {
	start := strings.LastIndexByte(word[:at], '/') + 1
	end := at + 1
	for end < len(word) && word[end] != '/' && word[end] != '@' {
		end++
	}
	return maskDigits(word[:start]) + mask + "@" + mask + masked(word[end:])
}

// cardDigits is the length of the shortest card numbers.
const cardDigits = 12

// maskDigits hides runs of twelve and more digits, also in groups.
func maskDigits(word string) string {
	var out strings.Builder
	for i := 0; i < len(word); {
		end, digits := digitRun(word[i:])
		switch {
		case digits >= cardDigits:
			out.WriteString(mask)
			i += end
		case end > 0:
			out.WriteString(word[i : i+end])
			i += end
		default:
			out.WriteByte(word[i])
			i++
		}
	}
	return out.String()
}

// digitRun returns the length of the run of digits, with hyphens and dots between, that s starts with, and its digits.
func digitRun(s string) (end, digits int) {
	gap := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
			end, gap = i+1, 0
		case digits > 0 && (c == '-' || c == '.') && gap == 0:
			gap++
		default:
			return end, digits
		}
	}
	return end, digits
}

// spacedDigits returns the length of the groups of digits that s starts with, as people write card numbers: three digits
// and more, one space or hyphen, and again.
func spacedDigits(s string) (end, digits int) {
	for {
		group := end
		for group < len(s) && s[group] >= '0' && s[group] <= '9' {
			group++
		}
		if group-end < 3 {
			return max(0, end-1), digits // the sign before a group that is none
		}
		digits += group - end
		if end = group; end == len(s) || s[end] != ' ' && s[end] != '-' {
			return end, digits
		}
		end++
	}
}
