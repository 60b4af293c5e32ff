package reference

import (
	"html/template"
	"strings"
)

// code is text in a fixed font.
func code(text string) template.HTML {
	return template.HTML("<code>" + template.HTMLEscapeString(text) + "</code>") //nolint:gosec // it is escaped
}

// inline turns one paragraph of Markdown into HTML: code and links, which are all that our texts use.
func inline(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(strings.TrimSpace(text), "`") {
		if i%2 == 1 {
			b.WriteString(string(code(part)))
			continue
		}
		b.WriteString(links(part))
	}
	return template.HTML(b.String()) //nolint:gosec // code and links escape what they are given
}

// links turns [text](address) into text: the addresses are those of other documents in the repository.
func links(text string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "[")
		label, after, isLink := strings.Cut(rest, "](")
		_, tail, closed := strings.Cut(after, ")")
		if !ok || !isLink || !closed {
			b.WriteString(template.HTMLEscapeString(text))
			return b.String()
		}
		b.WriteString(template.HTMLEscapeString(before + label))
		text = tail
	}
}

// prose turns paragraphs of Markdown into HTML.
func prose(text string) template.HTML {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if paragraph = strings.TrimSpace(paragraph); paragraph != "" {
			b.WriteString("<p>" + string(inline(strings.ReplaceAll(paragraph, "\n", " "))) + "</p>")
		}
	}
	return template.HTML(b.String()) //nolint:gosec // inline escapes
}

// document is a Markdown document of headings, paragraphs and tables, which is what our generated documents are.
func document(text string) template.HTML {
	var b strings.Builder
	ids := map[string]bool{}
	for block := range strings.SplitSeq(text, "\n\n") {
		block = strings.TrimSpace(block)
		switch {
		case block == "" || strings.HasPrefix(block, "<!--"):
		case strings.HasPrefix(block, "## "):
			b.WriteString("<h2>" + string(inline(block[3:])) + "</h2>")
		case strings.HasPrefix(block, "# "):
			b.WriteString("<h1>" + string(inline(block[2:])) + "</h1>")
		case strings.HasPrefix(block, "|"):
			b.WriteString(table(block, ids))
		default:
			b.WriteString(string(prose(block)))
		}
	}
	return template.HTML(b.String()) //nolint:gosec // each part is escaped
}

// table is a Markdown table. A row whose first cell is code gets that code as its id, so that it can be linked to; of several
// with the same it is the first.
func table(block string, ids map[string]bool) string {
	var b strings.Builder
	b.WriteString(`<div class="wide"><table>`)
	for i, line := range strings.Split(block, "\n") {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if i == 1 {
			continue // the line between head and body
		}
		tag := "td"
		if i == 0 {
			tag = "th"
		}
		first := strings.TrimSpace(cells[0])
		if id := strings.Trim(first, "`"); id != first && !ids[id] {
			ids[id] = true
			b.WriteString(`<tr id="` + template.HTMLEscapeString(id) + `">`)
		} else {
			b.WriteString("<tr>")
		}
		for _, cell := range cells {
			b.WriteString("<" + tag + ">" + cellText(cell) + "</" + tag + ">")
		}
		b.WriteString("</tr>")
	}
	return b.String() + "</table></div>"
}

// cellText is a cell: lines between <br>, which with &lt; is all the HTML that our tables have.
func cellText(cell string) string {
	lines := strings.Split(cell, "<br>")
	for i, line := range lines {
		lines[i] = string(inline(strings.ReplaceAll(line, "&lt;", "<")))
	}
	return strings.Join(lines, "<br>")
}
