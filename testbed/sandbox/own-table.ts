/**
The table that the testbed adds next to the rules under test.
*/

/** The name of the table, family inet. */
export const traceTable = 'testbed-trace';
