/** What went wrong at a provider, by the id of the error that stands in the page's address. Only ids are read from there: a text
 * could be anybody's. */
const texts: Record<string, string> = {
  "seamark-signin-declined": "{} did not sign you in: you declined, or you may not use Seamark there.",
  "seamark-signin-expired": "That sign-in was begun in another tab or browser, or too long ago. Begin again.",
  "seamark-signin-refused-by-provider":
    "{} did not confirm the sign-in: it was finished already, or took too long. Begin again.",
  "seamark-signin-untrusted":
    "What {} sent does not prove who you are. Begin again; tell the operator if it happens twice.",
  "seamark-signin-provider-away":
    "{} cannot be reached at the moment. Try again in a minute, or sign in another way.",
  "seamark-signin-domain": "Your address at {} is not one that may sign in here.",
  "seamark-signin-unmapped":
    "{} knows you, but nobody has given you access here. Ask an owner of your tenant or the operator.",
  "seamark-signin-unlinked":
    "There is an account with your address already. Sign in as before, and link {} in your account.",
  "seamark-signin-realm":
    "{} is not for people of your kind: operators and members of tenants sign in apart.",
  "seamark-member-nowhere": "You are not a member of any tenant. Ask an owner of the tenant to add you.",
  "seamark-member-absent": "You are not a member of that tenant. Ask one of its owners to add you.",
  "seamark-tenant-suspended": "The tenant is suspended. Ask the operator.",
  "seamark-identity-taken": "That identity at {} signs in somebody else here. Unlink it there first.",
  "seamark-invitation-other": "The invitation is for another address than the one that {} has of you.",
  "seamark-provider-unknown": "There is no such way to sign in any more.",
  "seamark-session-over": "Your session ended meanwhile. Sign in and try again.",
};

/** signInErrorText says what an error's id means to the person whom a provider sent back; "" is none. */
export function signInErrorText(id: string | null, provider: string): string {
  if (!id) return "";
  return (texts[id] ?? "Signing in at {} did not work. Try again, or sign in another way.").replace(
    "{}",
    provider || "the provider",
  );
}

/** withoutSignInError is a page's address without what a failed sign-in left in it. */
export function withoutSignInError(location: { pathname: string; search: string }): string {
  const params = new URLSearchParams(location.search);
  params.delete("signin_error");
  params.delete("provider");
  const search = params.toString();
  return search ? `${location.pathname}?${search}` : location.pathname;
}
