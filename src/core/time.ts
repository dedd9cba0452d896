// Lengths of time that always last the same, in ms: days and hours of UTC. Not here: months (month.ts), the days of a time zone (zone.ts).

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
