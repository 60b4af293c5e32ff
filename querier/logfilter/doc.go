// Package logfilter keeps the filters of log lines in memory. The store's own answer to which runs of lines can hold a text
// costs it reading all filters of the scope, 8 KiB for each few hundred KiB of lines; in memory it costs looking at a dozen words of each.
//
// A cache holds the filters of a tenant's group and day as the union of what was stored by inserts up to one of them. Each query first lists the
// parts of the table, and reads what is newer: filters are stored before the lines that they cover, so a line that the query
// can see has its filter in one of the parts listed. Merges change no union, and what is left of expired lines only costs looking.
package logfilter
