// Package child keeps a second process of this executable running beside this one, and passes HTTP requests to it over a unix
// socket. What may take all memory or all processors goes there; what must answer in milliseconds stays here.
package child
