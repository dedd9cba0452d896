// The switch: everything below a node is stopped at once, by whom and why, until somebody lets it go on. Not here: what is refused meanwhile.
// Invariant: no single press stops anything, and everything is stopped by a word that is typed.

import { Button, Modal, Select, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { type ApiError, send } from "../api.ts";
import { type Halt, nameScopeField, scopeFields, scopeWords } from "../guard.ts";
import { type Pair, toPairs, toScope, ValueInput } from "../parts/scope.tsx";
import { Refused, refreshGuard } from "./grant.tsx";

const word = "everything";
/** How long the second press is waited for, ms. */
const armedMs = 6_000;

/** @param scope what it is about at first; null: it is chosen. */
export function HaltSwitch({
  scope,
  onClose,
}: {
  readonly scope: Readonly<Record<string, string>> | null;
  readonly onClose: () => void;
}): ReactNode {
  const queries = useQueryClient();
  const [pairs, setPairs] = useState<readonly Pair[]>(() => (scope === null ? [{ field: "team", value: "" }] : toPairs(scope)));
  const [note, setNote] = useState("");
  const [typed, setTyped] = useState("");
  const [isArmed, setArmed] = useState(false);
  const halt = useMutation<Halt, ApiError>({
    mutationFn: () => send("POST", "halts", { for: toScope(pairs), ...(note.trim() === "" ? {} : { note: note.trim() }) }),
    onSuccess: async () => {
      await refreshGuard(queries);
      onClose();
    },
    onError: () => setArmed(false),
  });
  useEffect(() => {
    if (!isArmed) return undefined;
    const timer = setTimeout(() => setArmed(false), armedMs);
    return () => clearTimeout(timer);
  }, [isArmed]);
  const isAll = pairs.length === 0;
  const isReady = isAll ? typed.trim().toLowerCase() === word : pairs.every(({ value }) => value.trim() !== "");
  const whom = isAll ? word : scopeWords(toScope(pairs));
  const change = (next: readonly Pair[]): void => {
    setPairs(next);
    setArmed(false);
  };
  const [first] = pairs;
  return (
    <Modal opened onClose={onClose} title="Stop everything below a node" centered closeButtonProps={{ "aria-label": "Close" }}>
      <form
        className="stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          if (!isReady) return;
          if (isAll || isArmed) halt.mutate();
          else setArmed(true);
        }}
      >
        <p className="soft small">
          Calls below it that are under way are ended, and new ones are refused, whatever their budgets say, until somebody lets it go on.
        </p>
        {pairs.length > 1 ? (
          <p>{whom}</p>
        ) : (
          <>
            <Select
              label="What"
              allowDeselect={false}
              value={first?.field ?? "all"}
              onChange={(field) => change(field === null || field === "all" ? [] : [{ field, value: "" }])}
              data={[
                { value: "all", label: "Everything" },
                ...scopeFields.map((field) => ({ value: field, label: `A ${nameScopeField(field)}` })),
              ]}
            />
            {first === undefined ? null : (
              <ValueInput
                label={`Which ${nameScopeField(first.field)}`}
                pair={first}
                onChange={(value) => change([{ field: first.field, value }])}
              />
            )}
          </>
        )}
        <TextInput
          label="Reason"
          description="On record, and told to those who are refused"
          maxLength={500}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {isAll ? (
          <TextInput
            label={`Type ${word} to confirm`}
            description="Every call through Pennyworth is refused from then on."
            autoComplete="off"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        ) : null}
        <Refused error={halt.error} />
        <Button type="submit" className={isReady ? "danger" : ""} loading={halt.isPending} disabled={!isReady}>
          {isAll || !isArmed ? `Stop ${isReady ? whom : "it"}` : `Press again: stop ${whom}`}
        </Button>
        <p className="hidden" role="status">
          {isArmed && !isAll ? `Press again to stop ${whom}.` : ""}
        </p>
      </form>
    </Modal>
  );
}
