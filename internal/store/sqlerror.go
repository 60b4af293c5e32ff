package store

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxSQLError bounds how much of an error's text is read.
const maxSQLError = 32 << 10

// SQLFault is what the engine says of a statement, without what is not for its author. Name is what the message is about: a column, for
// example, or "".
type SQLFault struct{ Message, Name string }

// Error implements error.
func (f *SQLFault) Error() string { return f.Message }

var (
	engineCode    = regexp.MustCompile(`^(?s:.*?)Code: (\d+)\. DB::Exception: (?s:(.*))$`)
	engineSuffix  = regexp.MustCompile(`(?s)\s*\([A-Z][A-Z0-9_]+\)\s*(\(version [^)]*\).*)?$`)
	engineScope   = regexp.MustCompile(`(?is)[.:,]?\s*\bin scope .*?(\. (Maybe you meant: .*)$|$)`)
	engineRunning = regexp.MustCompile(`(?s):? (?:[Ww]hile executing|[Ww]hile processing|In query|in query) .*$`)
	engineName    = regexp.MustCompile("(?:identifier|column|function with name|alias) [`']([^`']+)[`']")
	enginePath    = regexp.MustCompile(`(?:^|[\s'"(=])/[\w.-]+/`)
)

// sqlTold reports whether the engine's words for an error are about the statement alone, so that its author may read them. The codes
// are those of src/Common/ErrorCodes.cpp.
func sqlTold(code int) bool {
	switch code {
	case 6, 26, 27, 35, 36, 38, 41, 42, 43, 44, 46, 47, 53, 62, 69, 70, 72, 117, 128, 131, 135, 152, 153, 167, 169, 174, 179, 183, 184, 190, 206,
		207, 215, 258, 321, 349, 352, 386, 395, 403, 407, 427, 440, 441, 455, 456, 457, 467, 519, 636, 675, 676, 691, 697:
		return true
	}
	return false
}

// sqlError turns an error of the engine into one that a customer may see.
func sqlError(text, db string) error {
	parts := engineCode.FindStringSubmatch(text)
	if parts == nil {
		return seamark.Wrap(errors.New(text), seamark.Internal, "seamark-store-query", "The store could not run the query.")
	}
	code, _ := strconv.Atoi(parts[1])
	cause := errors.New(text)
	if sqlTold(code) {
		fault := sqlFault(parts[2], db)
		return seamark.Wrap(&fault, seamark.Invalid, "seamark-sql-invalid", "%s", fault.Message)
	}
	switch code {
	case codeTimeoutExceeded, 160: // 160: it would take too long
		return seamark.Wrap(cause, seamark.Timeout, "seamark-query-timeout", "The query ran out of its time. Ask for a shorter range of timestamp or fewer rows.")
	case codeTooManyRowsBytes:
		return seamark.Wrap(cause, seamark.Unprocessable, "seamark-sql-result-rows", "The answer has more rows or bytes than are allowed. Add a LIMIT or aggregate.")
	case codeTooManyRows, codeTooManyBytes:
		return seamark.Wrap(cause, seamark.Unprocessable, "seamark-query-bytes", "The query would read more than your limit. Ask for a shorter range of timestamp.")
	case codeMemoryLimit:
		return seamark.Wrap(cause, seamark.Unprocessable, "seamark-query-memory", "The query needs more memory than your limit. Group by fewer values, or ask for a shorter range.")
	case codeTooManyQueries, codeQuotaExceeded:
		return seamark.Wrap(cause, seamark.RateLimited, "seamark-query-concurrency", "Too many of your queries run at once. Retry shortly.")
	case codeQueryCanceled:
		return seamark.Wrap(cause, seamark.Canceled, "seamark-query-canceled", "The query was cancelled.")
	case 497, codeUnknownTable, codeUnknownDatabase, 452: // no right, no table, no database, a locked setting
		return seamark.Wrap(cause, seamark.Invalid, "seamark-sql-refused", "The statement names something that is not there or not yours to read. GET /api/v1/sql/schema lists what is.")
	}
	return seamark.Wrap(cause, seamark.Internal, "seamark-store-query", "The store could not run the query.")
}

// sqlFault takes out of the engine's words what tells of our tables, our statement and our server.
func sqlFault(message, db string) SQLFault {
	const most = 600
	message = strings.TrimSpace(engineSuffix.ReplaceAllString(strings.TrimSpace(message), ""))
	name := ""
	if found := engineName.FindStringSubmatch(message); found != nil {
		name = found[1]
	}
	message = engineScope.ReplaceAllString(message, "$1")
	message = engineRunning.ReplaceAllString(message, "")
	if at := strings.Index(message, "failed at position"); at >= 0 { // positions are those of our text
		if expected := strings.Index(message[at:], "Expected"); expected >= 0 {
			message = strings.TrimRight(message[:at], " :") + ". " + message[at+expected:]
		} else {
			message = strings.TrimSpace(message[:at])
		}
	}
	message = strings.ReplaceAll(strings.ReplaceAll(message, db+".", ""), db, "your database")
	if enginePath.MatchString(message) || message == "" {
		message = "The engine refuses the statement."
	}
	if len(message) > most {
		message = message[:most] + "..."
	}
	return SQLFault{Message: strings.TrimRight(message, " .:,") + ".", Name: name}
}
