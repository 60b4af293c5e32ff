// Package oidc signs people in at providers of OpenID Connect: the code flow with PKCE, as a confidential client.
//
// It proves who somebody is at a provider and what the installation's configuration gives them. Whom that makes them here is
// the directory's. It keeps nothing but the providers' documents and keys, and serves no HTTP; package app imports it.
package oidc
