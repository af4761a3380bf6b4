/**
The version of the testbed.
*/

export const version = '0.1.0';
