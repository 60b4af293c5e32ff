/** Links of invitations hold the token in their fragment, which no server and no proxy gets to see. */

export const invitationPath = "/invitation";

export function invitationLink(token: string, origin = window.location.origin): string {
  return `${origin}${invitationPath}#${token}`;
}

/** invitationToken reads the token of a link; "" when it has none. */
export function invitationToken(hash: string): string {
  return hash.replace(/^#/, "").trim();
}
