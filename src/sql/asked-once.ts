/**
 * Answers during one question: views read views, and one that several others read would be asked over and over, twice as
 * often with each level. The question is the outermost call; the answers are forgotten with it.
 */
export class AskedOnce<Answer> {
  #answers: Map<object, Answer> | null = null;

  /** What `who` said before, or what it says now. */
  ask(who: object, answer: () => Answer): Answer {
    if (this.#answers === null) {
      this.#answers = new Map();
      try {
        return answer();
      } finally {
        this.#answers = null;
      }
    }
    if (!this.#answers.has(who)) this.#answers.set(who, answer());
    return this.#answers.get(who) as Answer;
  }
}
