/**
 * Text from outside as a service may keep and send it: U+0000 and halves of surrogate pairs become U+FFFD. PostgreSQL refuses
 * them in text (22021) and inside jsonb (22P05, 22P02), and one of them would take the whole statement along.
 */
export const storable = (text: string): string => text.replaceAll('\0', '\ufffd').toWellFormed();
