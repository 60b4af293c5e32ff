package seal

// Grace is how long a superseded data key is kept.
const Grace = grace
