// A form that grants a budget more, in the window under way. Not here: what an amount may be (the API says). Invariant: a form that is sent
// twice grants once, by its id.

import { Alert, Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { type ApiError, send } from "../api.ts";
import { type Budget, nameScopeField, newGrantId, type Standing } from "../guard.ts";
import { Amount, Figures, Meter } from "../parts/meter.tsx";
import { ValueInput } from "../parts/scope.tsx";

const examples = { money: "$50", tokens: "200k tokens", calls: "500 calls", open: "5 at once" } as const;

interface Granted {
  readonly outcome: "granted" | "known";
  readonly grant: { readonly amount: string; readonly values: readonly string[] };
  readonly budget: Budget;
}

/** @param standing whose allowance it goes to; null: whose is asked for, where the budget has several. */
export function GrantMore({
  budget,
  standing,
  onClose,
}: {
  readonly budget: Budget;
  readonly standing: Standing | null;
  readonly onClose: () => void;
}): ReactNode {
  const queries = useQueryClient();
  const { id, measure, terms } = budget;
  const [grant] = useState(newGrantId);
  const [amount, setAmount] = useState("");
  const [note, setNote] = useState("");
  const [values, setValues] = useState<readonly string[]>(() => standing?.values ?? terms.each.map(() => ""));
  const give = useMutation<Granted, ApiError>({
    mutationFn: () =>
      send("POST", `budgets/${encodeURIComponent(id)}/grants`, {
        id: grant,
        amount: amount.trim(),
        ...(terms.each.length === 0
          ? {}
          : { for: Object.fromEntries(terms.each.map((field, index) => [field, values[index]?.trim() ?? ""])) }),
        ...(note.trim() === "" ? {} : { note: note.trim() }),
      }),
    onSuccess: () => refreshGuard(queries),
  });
  const now = give.data?.budget.standings.find((one) => one.values.join("\n") === give.data.grant.values.join("\n"));
  const isReady = amount.trim() !== "" && values.every((value) => value.trim() !== "");
  const whom = standing === null || standing.values.length === 0 ? id : `${id} for ${standing.values.join(" and ")}`;
  return (
    <Modal opened onClose={onClose} title={`Grant ${whom} more`} centered closeButtonProps={{ "aria-label": "Close" }}>
      {give.isSuccess ? (
        <div className="stack">
          <p role="status" data-testid="granted">
            {give.data.grant.amount.startsWith("-") ? "Taken back: " : "Granted: "}
            <Amount value={give.data.grant.amount.replace("-", "")} measure={measure} />.
            {give.data.outcome === "known" ? " It had been granted before, and counts once." : ""}
          </p>
          {now === undefined ? null : (
            <div>
              <Meter standing={now} measure={measure} />
              <Figures standing={now} measure={measure} />
            </div>
          )}
          <div className="row ends">
            <Button size="xs" onClick={onClose}>
              Done
            </Button>
          </div>
        </div>
      ) : (
        <form
          className="stack"
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            if (isReady) give.mutate();
          }}
        >
          <p className="soft small">
            {terms.limit}
            {terms.each.length === 0 ? "" : ` for each ${terms.each.map(nameScopeField).join(" and ")}`}. A grant ends with its window, save
            for what is carried over.
          </p>
          {standing !== null
            ? null
            : terms.each.map((field, index) => (
                <ValueInput
                  key={field}
                  label={`Which ${nameScopeField(field)}`}
                  pair={{ field, value: values[index] ?? "" }}
                  onChange={(value) => setValues(values.map((old, at) => (at === index ? value : old)))}
                />
              ))}
          <TextInput
            label="Amount"
            description="Below zero takes back."
            placeholder={examples[measure]}
            autoComplete="off"
            data-autofocus
            value={amount}
            onChange={(event) => setAmount(event.currentTarget.value)}
          />
          <TextInput
            label="Note"
            description="Kept on record with it."
            maxLength={500}
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
          />
          <Refused error={give.error} />
          <Button type="submit" loading={give.isPending} disabled={!isReady}>
            Grant
          </Button>
        </form>
      )}
    </Modal>
  );
}

/** Why the API said no. */
export function Refused({ error }: { readonly error: ApiError | null }): ReactNode {
  return error === null ? null : (
    <Alert color="red" variant="outline">
      <span className="bad">{error.message}</span>
    </Alert>
  );
}

/** What the guard knows is asked anew after a change, wherever it is shown. */
export async function refreshGuard(queries: ReturnType<typeof useQueryClient>): Promise<void> {
  await queries.invalidateQueries({ predicate: ({ queryKey: [path] }) => /^(budgets|halts|guard|refusals|presumed)\b/.test(String(path)) });
}
