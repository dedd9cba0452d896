// Signing in: a token for a session. The token is sent once and kept nowhere on this side.

import { Button, PasswordInput } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { useSession } from "../data.ts";
import { Coin } from "../frame.tsx";
import { one } from "../search.ts";
import { signIn, takeRefusal } from "../session.ts";

export function SignIn(): ReactNode {
  const session = useSession();
  const search = useSearch({ from: "/sign-in" });
  const navigate = useNavigate();
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState<string | null>(takeRefusal);
  const [busy, setBusy] = useState(false);
  const next = toPlace(one(search["next"]));

  useEffect(() => {
    document.title = "Sign in · Pennyworth";
  }, []);
  useEffect(() => {
    if (session.isSuccess) void navigate({ href: next, replace: true });
  }, [session.isSuccess, navigate, next]);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await signIn(token.trim());
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };

  return (
    <main className="door-step">
      <form className="card" onSubmit={(event) => void submit(event)}>
        <Coin size={40} />
        <h1>Sign in to Pennyworth</h1>
        <p className="soft">
          Paste the admin token that <code>pennyworth serve</code> printed, or a Pennyworth key with the role <code>read</code> or{" "}
          <code>administer</code>.
        </p>
        <PasswordInput
          label="Token"
          autoComplete="off"
          spellCheck={false}
          required
          withAsterisk={false}
          autoFocus
          value={token}
          error={problem}
          onChange={(event) => setToken(event.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": "Show the token" }}
        />
        <Button type="submit" loading={busy} disabled={token.trim() === ""}>
          Sign in
        </Button>
        <p className="soft small">The token is exchanged for a session that ends after twelve idle hours. No script can read it.</p>
      </form>
    </main>
  );
}

/** Where to go after: a place of ours, and no other. */
function toPlace(next: string | undefined): string {
  return next !== undefined && /^\/(?![/\\])/.test(next) ? next : "/";
}
