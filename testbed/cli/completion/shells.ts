/**
The shells for which there is completion.
*/

/** Their names, as on the command line. */
export const shells = ['bash', 'zsh', 'fish'] as const;

/** One of them. */
export type Shell = typeof shells[number];
