(* Further laws: sums over other indices, roots of squares, steps of sums and products, parity. *)
From Coq Require Import ZArith_base Lia.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From mathcomp.classical Require Import boolp classical_sets functions mathcomp_extra.
From mathcomp.analysis Require Import reals signed topology normedtype derive realfun sequences exp trigo.
Require Import Sums Derivatives.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.
Delimit Scope Z_scope with Z.

Section Laws.
Variable R : realType.
Implicit Types (x y : R) (F : Z -> R).
Let one : R := qr R (Frac 1 1).
Let m1 : R := qr R (Frac (-1) 1).

(* --- sums over other indices ---------------------------------------------------------------- *)

Lemma Sum_split m r F : (0 <= m)%Z -> (0 <= r)%Z -> Sum (m + r) F = Sum m F + Sum r (fun b => F (m + b)%Z).
Proof.
move=> m0 r0; rewrite /Sum Z2Nat.inj_add // -[Nat.add _ _]/(addn _ _) big_split_ord /=; congr (_ + _).
apply: eq_bigr => b _; congr F; rewrite -[(_ + _)%N]/(Nat.add _ _); lia.
Qed.
Lemma Sum_digits q r F : (0 <= q)%Z -> (0 <= r)%Z ->
  Sum (q * r) F = Sum q (fun a => Sum r (fun b => F (r * a + b)%Z)).
Proof.
move=> q0 r0; move: q q0; apply: natlike_ind => [|q q0 IH].
  by rewrite /Sum !big_ord0.
have -> : (Z.succ q * r = q * r + r)%Z by lia.
rewrite Sum_split // ?IH; last by nia.
rewrite -[Z.succ q]/(q + 1)%Z Sum_split //; congr (_ + _).
rewrite {2}/Sum big_ord1; apply: Sum_ext => b _; congr F; rewrite /=; lia.
Qed.
Lemma Sum_radix n q r F (G : Z -> Z -> R) : n = (q * r)%Z -> (0 <= q)%Z -> (0 <= r)%Z ->
  (forall a b, (0 <= a < q)%Z -> (0 <= b < r)%Z -> F (r * a + b)%Z = G a b) ->
  Sum n F = Sum q (fun a => Sum r (fun b => G a b)).
Proof.
by move=> -> q0 r0 H; rewrite Sum_digits //; apply: Sum_ext => a Ha; apply: Sum_ext => b Hb; exact: H.
Qed.
(* e maps indices i < n to indices k < m as far as they reach, and d maps them back *)
Lemma Sum_reindex n m (e e' d d' : Z -> Z) F (G : Z -> R) :
  (forall i, e' i = m - 1 - e i)%Z -> (forall k, d' k = n - 1 - d k)%Z ->
  (forall i, d (e i) = i) -> (forall k, e (d k) = k) -> (forall k, F (d k) = G k) ->
  Sum n (fun i => ge0 R (e i) * ge0 R (e' i) * F i) = Sum m (fun k => ge0 R (d k) * ge0 R (d' k) * G k).
Proof.
move=> He Hd de ed FG.
have K p (u u' : Z -> Z) i X : u' i = (p - 1 - u i)%Z ->
    ge0 R (u i) * ge0 R (u' i) * X = Sum p (fun k => mulf (delta R (k - u i) 0 :: [:: X])).
  move=> E; rewrite (@Sum_delta_edges R p (fun k => k - u i)%Z (fun=> [:: X]) (u i) (u i) (u' i)) //; lia.
transitivity (Sum n (fun i => Sum m (fun k => mulf (delta R (k - e i) 0 :: [:: F i])))).
  by apply: Sum_ext => i _; exact: K.
rewrite Sum_exch; apply: Sum_ext => k _; rewrite (K n d d' k) //; apply: Sum_ext => i _ /=.
case: (Z.eq_dec k (e i)) => [->|ne]; first by rewrite de !Z.sub_diag /delta /= -FG de.
rewrite /delta; case: Z.eqb_spec => [|_]; first lia.
by case: Z.eqb_spec => [E|_]; rewrite ?mul0r //; case: ne; rewrite -(ed k); congr e; lia.
Qed.
Lemma no_room1 i : (i < 0)%Z -> ge0 R i = 0.
Proof. by rewrite /ge0; case: Z.leb_spec => //; lia. Qed.
Lemma no_room2 i j : (i + j < 0)%Z -> ge0 R i * ge0 R j = 0.
Proof. by move=> H; rewrite /ge0; do 2 case: Z.leb_spec; rewrite ?mulr0 ?mul0r //; lia. Qed.
Lemma no_room3 i j k : (i + j + k < 0)%Z -> ge0 R i * ge0 R j * ge0 R k = 0.
Proof. by move=> H; rewrite /ge0; do 3 case: Z.leb_spec; rewrite ?mulr0 ?mul0r //; lia. Qed.

(* --- roots ------------------------------------------------------------------------------------ *)

Lemma pw_mul_ge0 x y q : 0 <= x -> 0 <= y -> pw (x * y) q = pw x q * pw y q.
Proof.
case: q => n d; rewrite !le_eqVlt => /orP[/eqP<-|x0] /orP[/eqP<-|y0]; try exact: pw_mul.
all: rewrite ?mul0r ?mulr0; case: (Pos.eqb_spec d 1) => [->|d1]; first by rewrite -pw_mulz ?mul0r ?mulr0.
all: have {}d1 : Pos.eqb d 1 = false by case: Pos.eqb_spec.
all: rewrite /pw /bottom d1 /root !ltxx ?mul0r ?mulr0 //.
Qed.
Lemma pw_factors_ge0 q s : all (fun x : R => 0 <= x) s -> pw (mulf s) q = mulf [seq pw x q | x <- s].
Proof.
move=> H; suff [] : 0 <= mulf s /\ pw (mulf s) q = mulf [seq pw x q | x <- s] by [].
elim: s H => [|x s IH]; first by rewrite /= ler01 pw_one.
by move=> /= /andP[x0 /IH [s0 E]]; rewrite -!/(mulf (_ :: _)) !mulf_cons mulr_ge0 // pw_mul_ge0 // E.
Qed.
Lemma pw_square x q r : (top q <> 0)%Z -> (top r <> 0)%Z -> r = fmul (Frac 2 1) q ->
  pw (pw x (Frac 2 1)) q = pw (x * (step x + m1 * step (m1 * x))) r.
Proof.
move=> q0 r0 E; rewrite /step /m1 !qr_opp1 !mulN1r oppr_gt0; case: (ltgtP x 0) => [n|p|->].
- have -> : pw x (Frac 2 1) = pw (- x) (Frac 2 1) by rewrite /pw /= sqrrN.
  by rewrite add0r mulrN1 (pw_pow _ E) // oppr_gt0.
- by rewrite oppr0 addr0 mulr1 (pw_pow _ E).
- by rewrite mul0r (@pw_zero R 2 1) //; case: q q0 {E} => n d q0; case: r r0 => k c r0; rewrite !pw_zero.
Qed.

(* --- steps ------------------------------------------------------------------------------------ *)

Lemma step_ordered x c : 0 < c -> step x * step (x + c) = step x.
Proof.
by move=> c0; rewrite /step; case: (ltP 0 x) => [x0|_]; rewrite ?mul0r // (addr_gt0 x0 c0) mulr1.
Qed.
Lemma step_excluded x c : 0 < c -> step x * step (m1 * x + m1 * c) = qr R (Frac 0 1).
Proof.
move=> c0; rewrite /step /m1 qr0 !qr_opp1 !mulN1r; case: (ltP 0 x) => [x0|_]; rewrite ?mul0r // mul1r.
by rewrite -opprD oppr_gt0 ltNge ltW // addr_gt0.
Qed.
Lemma step_covering x c : 0 < c ->
  step x * step (c + m1 * x) = step x + step (c + m1 * x) + m1 * one.
Proof.
move=> c0; rewrite /step /m1 /one qr1 qr_opp1 !mulN1r subr_gt0.
case: (ltP 0 x) => [x0|x0]; first by rewrite mul1r addrAC subrr add0r.
by rewrite (le_lt_trans x0 c0) mul0r add0r subrr.
Qed.
Lemma step_of_product x y : step (x * y) = step x * step y + step (m1 * x) * step (m1 * y).
Proof.
rewrite /step /m1 !qr_opp1 !mulN1r !oppr_gt0; case: (ltgtP x 0) => [n|p|->]; last by rewrite !mul0r ltxx addr0.
  by rewrite nmulr_rgt0 // mul0r add0r mul1r.
by rewrite pmulr_rgt0 // mul1r mul0r addr0.
Qed.
Lemma step_of_reciprocal x : step (pw x (Frac (-1) 1)) = step x.
Proof. by rewrite pw_inv /step invr_gt0. Qed.
Lemma step_of_exponentials x y : step (expR x + m1 * expR y) = step (x + m1 * y).
Proof. by rewrite /step /m1 qr_opp1 !mulN1r !subr_gt0 ltr_expR. Qed.
Lemma step_negated_outside x h : (h == 0) || (h == 1) -> x + h != 0 ->
  (one + m1 * h) * step (m1 * x) = (one + m1 * h) * (one + m1 * step x).
Proof.
rewrite /m1 /one qr1 qr_opp1 !mulN1r => /orP[]/eqP->; last by rewrite subrr !mul0r.
rewrite addr0 => /step_negated; rewrite qr_opp1 qr1 !mulN1r => ->; by [].
Qed.

(* --- functions -------------------------------------------------------------------------------- *)

Lemma sin_odd x : sin (m1 * x) = m1 * sin x. Proof. by rewrite /m1 qr_opp1 !mulN1r sinN. Qed.
Lemma cos_even x : cos (m1 * x) = cos x. Proof. by rewrite /m1 qr_opp1 !mulN1r cosN. Qed.
Lemma sinh_odd x : sinh (m1 * x) = m1 * sinh x.
Proof. by rewrite /sinh /m1 qr_opp1 !mulN1r opprK; ring. Qed.
Lemma cosh_even x : cosh (m1 * x) = cosh x.
Proof. by rewrite /cosh /m1 qr_opp1 !mulN1r opprK addrC. Qed.
Lemma tanh_odd x : tanh (m1 * x) = m1 * tanh x.
Proof.
rewrite /tanh -[Frac 2 1]/(Frac (Z.of_nat 2) 1) /m1 !pw_inv qr1 qr_opp1 !mulN1r mulrN expRN.
set e := expR _; have e0 : 0 < e by exact: expR_gt0.
by field; rewrite !lt0r_neq0 ?addr_gt0 ?ltr01.
Qed.
Lemma sin_zero : sin (qr R (Frac 0 1)) = qr R (Frac 0 1). Proof. by rewrite qr0 sin0. Qed.
Lemma cos_zero : cos (qr R (Frac 0 1)) = qr R (Frac 1 1). Proof. by rewrite qr0 qr1 cos0. Qed.
Lemma sinh_zero : sinh (qr R (Frac 0 1)) = qr R (Frac 0 1).
Proof. by rewrite /sinh qr0 qr_opp1 !mulr0 expR0; ring. Qed.
Lemma cosh_zero : cosh (qr R (Frac 0 1)) = qr R (Frac 1 1).
Proof. by rewrite /cosh qr0 mulr0 expR0 qr1 -[1 + 1]/(2%:R) /qr /= mul1r mulVf // pnatr_eq0. Qed.
Lemma tanh_zero : tanh (qr R (Frac 0 1)) = qr R (Frac 0 1).
Proof. by rewrite /tanh qr0 mulr0 expR0 qr1 qr_opp1 mulN1r subrr mul0r. Qed.
Lemma sin_of_sum x y : sin (x + y) = sin x * cos y + cos x * sin y. Proof. exact: sinD. Qed.
Lemma cos_of_sum x y : cos (x + y) = cos x * cos y + m1 * (sin x * sin y).
Proof. by rewrite cosD /m1 qr_opp1 mulN1r. Qed.
End Laws.

(* what holds of each value, or of each pair of digits, holds of the index *)
Lemma value_step (P : Z -> Prop) k i : (k <= i)%Z -> P k -> ((k + 1 <= i)%Z -> P i) -> P i.
Proof. by move=> H K L; case: (Z.eq_dec k i) => [<-//|ne]; apply: L; lia. Qed.
Lemma by_digits (P : Z -> Prop) n q r i : n = (q * r)%Z -> (0 <= r)%Z -> (0 <= i < n)%Z ->
  (forall a, (0 <= a < q)%Z -> forall b, (0 <= b < r)%Z -> P (r * a + b)%Z) -> P i.
Proof.
move=> -> R0 H K; have r0 : (0 < r)%Z.
  by case: (Z.eq_dec r 0) => [E|]; [move: H; rewrite E Z.mul_0_r; lia | lia].
have M := Z.mod_pos_bound i r r0; have E : i = (r * (i / r) + i mod r)%Z by apply: Z.div_mod; lia.
by rewrite E; apply: K => //; split; [apply: Z.div_pos | apply: Z.div_lt_upper_bound]; lia.
Qed.
