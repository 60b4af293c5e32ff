import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request } from "../lib/api";
import type { components } from "../lib/schema";

export type Member = components["schemas"]["Member"];
export type Restriction = components["schemas"]["Restriction"];
export type Invitation = components["schemas"]["Invitation"];
export type CreatedInvitation = components["schemas"]["CreatedInvitation"];
export type InvitationCreation = components["schemas"]["InvitationCreation"];
export type PasswordReset = components["schemas"]["PasswordReset"];

const membersKey = ["members"] as const;
const invitationsKey = ["invitations"] as const;

export function useMembers() {
  return useQuery({
    queryKey: membersKey,
    queryFn: ({ signal }) => listAll<Member>("/api/v1/members", { signal }),
  });
}

interface MemberUpdate {
  readonly id: string;
  readonly role: string;
  readonly restriction?: Restriction | undefined;
}

export function useUpdateMember() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, role, restriction }: MemberUpdate) =>
      request<Member>(`/api/v1/members/${id}`, {
        method: "PUT",
        json: { role, ...(restriction && { restriction }) },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: membersKey }),
  });
}

/** useRemoveMember removes a person from the tenant; their sessions and personal keys of it end. */
export function useRemoveMember() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(`/api/v1/members/${id}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: membersKey }),
  });
}

/** useEndMemberSessions signs a member out of this tenant wherever they are signed in. */
export function useEndMemberSessions() {
  return useMutation({
    mutationFn: (id: string) => request<void>(`/api/v1/members/${id}/sessions`, { method: "DELETE" }),
  });
}

/** useCreatePasswordReset makes a link with which a member sets a new password, once. */
export function useCreatePasswordReset() {
  return useMutation({
    mutationFn: (id: string) =>
      request<PasswordReset>(`/api/v1/members/${id}/password-reset`, { method: "POST" }),
  });
}

/** useInvitations lists invitations, those of the last 30 days that are over too. */
export function useInvitations(enabled = true) {
  return useQuery({
    queryKey: invitationsKey,
    queryFn: ({ signal }) => listAll<Invitation>("/api/v1/invitations", { signal }),
    enabled,
  });
}

export function useCreateInvitation() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (json: InvitationCreation) =>
      request<CreatedInvitation>("/api/v1/invitations", { method: "POST", json }),
    onSettled: () => client.invalidateQueries({ queryKey: invitationsKey }),
  });
}

/** useResendInvitation gives an invitation a new token; the one before is void. */
export function useResendInvitation() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      request<CreatedInvitation>(`/api/v1/invitations/${id}/resend`, { method: "POST" }),
    onSettled: () => client.invalidateQueries({ queryKey: invitationsKey }),
  });
}

export function useWithdrawInvitation() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(`/api/v1/invitations/${id}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: invitationsKey }),
  });
}

export type InvitationOffer = components["schemas"]["InvitationOffer"];

/** useOffer tells what an invitation offers to who has its token. */
export function useOffer(token: string) {
  return useQuery({
    queryKey: [...invitationsKey, "offer", token],
    queryFn: ({ signal }) =>
      request<InvitationOffer>("/api/v1/invitations/offer", { method: "POST", json: { token }, signal }),
    enabled: token !== "",
    retry: false,
  });
}

/** useAcceptInvitation joins as a new user, or with the password of one that exists. */
export function useAcceptInvitation() {
  return useMutation({
    mutationFn: (json: { token: string; login?: string; password: string }) =>
      request<{ login: string }>("/api/v1/invitations/accept", { method: "POST", json }),
  });
}
