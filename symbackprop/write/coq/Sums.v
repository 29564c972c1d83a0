(* Sums over index ranges, integer and rational numbers as reals, and linear combinations of sums of products.

   Indices are integers (Z), arrays are functions on integers: x : Z -> R, W : Z -> Z -> R.
   Sum n F is F 0 + ... + F (n - 1).  As in most proof assistants 1/0 is 0. *)

From Coq Require Import ZArith_base Lia.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.

From mathcomp.analysis Require Import reals.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.
Delimit Scope Z_scope with Z.

(* rational numbers, in lowest terms after each operation; Coq's own would clash with notations of mathcomp *)
Inductive frac := Frac (top : Z) (bottom : positive).
Definition top f := let: Frac n _ := f in n.
Definition bottom f := let: Frac _ d := f in d.
Definition lowest f := let: (_, (a, b)) := Z.ggcd (top f) (Zpos (bottom f)) in Frac a (Z.to_pos b).
Definition fadd p q := lowest (Frac (top p * Zpos (bottom q) + top q * Zpos (bottom p))%Z (bottom p * bottom q)).
Definition fmul p q := lowest (Frac (top p * top q)%Z (bottom p * bottom q)).

Section Numbers.
Variable R : realType.

(* the integer z as a real number *)
Definition zr (z : Z) : R :=
  match z with Z0 => 0 | Zpos p => (Pos.to_nat p)%:R | Zneg p => - (Pos.to_nat p)%:R end.
(* the rational number q as a real number *)
Definition qr (q : frac) : R := zr (top q) / zr (Zpos (bottom q)).
(* 1 where i = j, else 0;  1 where 0 <= i, else 0;  1 where 0 < x, else 0 *)
Definition delta (i j : Z) : R := if Z.eqb i j then 1 else 0.
Definition ge0 (i : Z) : R := if Z.leb 0 i then 1 else 0.
Definition step (x : R) : R := if 0 < x then 1 else 0.
Definition Sum (n : Z) (F : Z -> R) : R := \sum_(k < Z.to_nat n) F (Z.of_nat k).

Lemma zr_sub a b : zr (Z.of_nat a - Z.of_nat b) = a%:R - b%:R.
Proof.
case: (leqP b a) => ab.
  have -> : (Z.of_nat a - Z.of_nat b)%Z = Z.of_nat (a - b) by move/ssrnat.leP: ab; rewrite -[(a - b)%N]/(Nat.sub a b); lia.
  rewrite -natrB //; case: (a - b)%N => [|n]; first by [].
  by rewrite /zr /=; congr (_%:R); rewrite SuccNat2Pos.id_succ.
have -> : (Z.of_nat a - Z.of_nat b)%Z = (- Z.of_nat (b - a))%Z.
  by move/ssrnat.ltP: ab; rewrite -[(b - a)%N]/(Nat.sub b a); lia.
rewrite -opprB -natrB; last exact: ltnW.
case E: (b - a)%N => [|n]; first by rewrite /= oppr0.
by rewrite /zr /=; congr (- _%:R); rewrite SuccNat2Pos.id_succ.
Qed.
Lemma zr_nat n : zr (Z.of_nat n) = n%:R.
Proof. by rewrite -[Z.of_nat n]Z.sub_0_r -[0%Z]/(Z.of_nat 0) zr_sub subr0. Qed.
Lemma parts z : z = (Z.of_nat (Z.to_nat z) - Z.of_nat (Z.to_nat (- z)))%Z. Proof. lia. Qed.
Lemma zrE z : zr z = (Z.to_nat z)%:R - (Z.to_nat (- z))%:R. Proof. by rewrite {1}[z]parts zr_sub. Qed.
Lemma zr_add a b : zr (a + b) = zr a + zr b.
Proof.
rewrite {1}[a]parts {1}[b]parts.
set x := Z.to_nat a; set y := Z.to_nat (- a); set u := Z.to_nat b; set v := Z.to_nat (- b).
have -> : (Z.of_nat x - Z.of_nat y + (Z.of_nat u - Z.of_nat v))%Z = (Z.of_nat (x + u) - Z.of_nat (y + v))%Z.
  by rewrite -[(x + u)%N]/(Nat.add x u) -[(y + v)%N]/(Nat.add y v); lia.
by rewrite zr_sub !zrE -/x -/y -/u -/v !natrD; ring.
Qed.
Lemma zr_opp a : zr (- a) = - zr a.
Proof. by case: a => [|p|p] //=; rewrite ?oppr0 ?opprK. Qed.
Lemma zr_mul a b : zr (a * b) = zr a * zr b.
Proof.
rewrite {1}[a]parts {1}[b]parts.
set x := Z.to_nat a; set y := Z.to_nat (- a); set u := Z.to_nat b; set v := Z.to_nat (- b).
have -> : ((Z.of_nat x - Z.of_nat y) * (Z.of_nat u - Z.of_nat v))%Z
          = (Z.of_nat (x * u + y * v) - Z.of_nat (x * v + y * u))%Z.
  rewrite -[(x * u + y * v)%N]/(Nat.add (Nat.mul x u) (Nat.mul y v)).
  by rewrite -[(x * v + y * u)%N]/(Nat.add (Nat.mul x v) (Nat.mul y u)); lia.
by rewrite zr_sub !zrE -/x -/y -/u -/v !natrD !natrM; ring.
Qed.
Lemma zr_ge0 a : (0 <= a)%Z -> 0 <= zr a. Proof. by case: a => [|p|p] //= _; rewrite ?ler0n. Qed.
Lemma zr_gt0 a : (0 < a)%Z -> 0 < zr a.
Proof. by case: a => [|p|p] //= _; rewrite ltr0n; apply/ssrnat.ltP; lia. Qed.
Lemma zr_neq0 a : (a <> 0)%Z -> zr a != 0.
Proof. by case: a => [|p|p] //= _; rewrite ?oppr_eq0 pnatr_eq0; apply/eqP; lia. Qed.
Lemma den_neq0 q : zr (Zpos (bottom q)) != 0. Proof. exact: zr_neq0. Qed.
Arguments zr : simpl never.
Lemma qr_eq p q : (top p * Zpos (bottom q) = top q * Zpos (bottom p))%Z -> qr p = qr q.
Proof. by move=> H; apply/eqP; rewrite /qr eqr_div ?den_neq0 // -!zr_mul H. Qed.
Lemma qr_lowest f : qr (lowest f) = qr f.
Proof.
case: f => n d; apply: qr_eq; rewrite /lowest /=.
have := Z.ggcd_correct_divisors n (Zpos d); have := Z.ggcd_gcd n (Zpos d).
case: (Z.ggcd n (Zpos d)) => g [a b] /= E [En Ed].
have g0 := Z.gcd_nonneg n (Zpos d); rewrite -E in g0.
have b0 : (0 < b)%Z by nia.
by rewrite Z2Pos.id //; nia.
Qed.
Lemma qr_add p q : qr (fadd p q) = qr p + qr q.
Proof.
rewrite qr_lowest /qr /= addf_div ?den_neq0 // -!zr_mul -!zr_add; congr (zr _ / zr _); lia.
Qed.
Lemma qr_mul p q : qr (fmul p q) = qr p * qr q.
Proof. by rewrite qr_lowest /qr /= mulf_div -!zr_mul. Qed.
Lemma qr0 : qr (Frac 0 1) = 0. Proof. by rewrite /qr /= mul0r. Qed.
Lemma qr1 : qr (Frac 1 1) = 1. Proof. by rewrite /qr /= divr1. Qed.
Lemma qr_int z : qr (Frac z 1) = zr z. Proof. by rewrite /qr /= divr1. Qed.
Lemma qr_gt0 q : (0 < top q)%Z -> 0 < qr q.
Proof. by move=> H; rewrite /qr divr_gt0 // zr_gt0. Qed.
Lemma qr_ge0 q : (0 <= top q)%Z -> 0 <= qr q.
Proof. by move=> H; rewrite /qr divr_ge0 // zr_ge0. Qed.
Lemma qr_neq0 q : (top q <> 0)%Z -> qr q != 0.
Proof. by move=> H; rewrite /qr mulf_neq0 ?invr_neq0 ?zr_neq0 //; lia. Qed.
Lemma qr_opp1 : qr (Frac (-1) 1) = -1. Proof. by rewrite qr_int. Qed.

(* --- sums ------------------------------------------------------------------------------- *)

Lemma in_range n k : (k < Z.to_nat n)%N -> (0 <= Z.of_nat k < n)%Z. Proof. by move/ssrnat.ltP; lia. Qed.
Lemma Sum_ext n (F G : Z -> R) : (forall i, (0 <= i < n)%Z -> F i = G i) -> Sum n F = Sum n G.
Proof. by move=> H; apply: eq_bigr => k _; apply/H/in_range. Qed.
Lemma Sum_size m n (F : Z -> R) : m = n -> Sum m F = Sum n F. Proof. by move=> ->. Qed.
Lemma mulSl n (F G : Z -> R) B : (forall i, (0 <= i < n)%Z -> F i * B = G i) -> Sum n F * B = Sum n G.
Proof. by move=> H; rewrite /Sum mulr_suml; apply: eq_bigr => k _; apply/H/in_range. Qed.
Lemma mulSr n (F G : Z -> R) A : (forall i, (0 <= i < n)%Z -> A * F i = G i) -> A * Sum n F = Sum n G.
Proof. by move=> H; rewrite /Sum mulr_sumr; apply: eq_bigr => k _; apply/H/in_range. Qed.
Lemma Sum_exch m n (F : Z -> Z -> R) :
  Sum m (fun i => Sum n (fun j => F i j)) = Sum n (fun j => Sum m (fun i => F i j)).
Proof. exact: exchange_big. Qed.
Lemma Sum_add n (F G : Z -> R) : Sum n (fun i => F i + G i) = Sum n F + Sum n G.
Proof. exact: big_split. Qed.
Lemma Sum_0 n : Sum n (fun=> 0) = 0. Proof. exact: big1. Qed.
Lemma Sum_const n X : (0 <= n)%Z -> Sum n (fun=> X) = zr n * X.
Proof.
move=> n0; rewrite /Sum big_const_ord iter_addr_0 -mulr_natl.
by rewrite -{2}(Z2Nat.id n n0) zr_nat.
Qed.
Lemma Sum_one n (F : Z -> R) e :
  (0 <= e < n)%Z -> (forall i, (0 <= i < n)%Z -> i <> e -> F i = 0) -> Sum n F = F e.
Proof.
move=> He H; have k : (Z.to_nat e < Z.to_nat n)%N by apply/ssrnat.ltP; lia.
rewrite /Sum (bigD1 (Ordinal k)) //= big1 ?addr0; first by rewrite Z2Nat.id //; lia.
move=> i /eqP ni; apply: H; first exact: in_range.
by move=> E; apply: ni; apply/val_inj => /=; rewrite -E Nat2Z.id.
Qed.
Lemma Sum_values k (F : Z -> R) : Sum (Z.of_nat k) F = foldr (fun i a => F (Z.of_nat i) + a) 0 (iota 0 k).
Proof.
rewrite /Sum Nat2Z.id -(big_mkord xpredT (fun j => F (Z.of_nat j))) /index_iota subn0.
by elim: (iota 0 k) => [|j s IH]; rewrite ?big_nil // big_cons IH.
Qed.

(* --- products and linear combinations as lists --------------------------------------------- *)

Definition mulf (s : seq R) : R := if s is x :: s' then foldl *%R x s' else 1.
Definition addf (s : seq R) : R := if s is x :: s' then foldl +%R x s' else 0.
Lemma mulfE s : mulf s = \prod_(x <- s) x.
Proof.
case: s => [|x s]; rewrite ?big_nil //= big_cons.
by elim: s x => [|y s IH] x /=; rewrite ?big_nil ?mulr1 // IH big_cons mulrA.
Qed.
Lemma addfE s : addf s = \sum_(x <- s) x.
Proof.
case: s => [|x s]; rewrite ?big_nil //= big_cons.
by elim: s x => [|y s IH] x /=; rewrite ?big_nil ?addr0 // IH big_cons addrA.
Qed.
Lemma mulf_cat s t : mulf s * mulf t = mulf (s ++ t). Proof. by rewrite !mulfE big_cat. Qed.
Lemma addf_cat s t : addf s + addf t = addf (s ++ t). Proof. by rewrite !addfE big_cat. Qed.
Lemma mulf_perm (p : seq nat) s : perm_eq p (iota 0 (size s)) -> mulf s = mulf [seq nth 1 s i | i <- p].
Proof. by move=> H; rewrite !mulfE big_map (perm_big _ H) /= -[in LHS](mkseq_nth 1 s) big_map. Qed.
Lemma addf_perm (p : seq nat) s : perm_eq p (iota 0 (size s)) -> addf s = addf [seq nth 0 s i | i <- p].
Proof. by move=> H; rewrite !addfE big_map (perm_big _ H) /= -[in LHS](mkseq_nth 0 s) big_map. Qed.
(* the first factor replaced by others *)
Lemma mulf_head f fs s : f = mulf fs -> mulf (f :: s) = mulf (fs ++ s).
Proof. by move=> ->; rewrite -mulf_cat !mulfE big_cons. Qed.
Lemma mulf_two f g fs s : f * g = mulf fs -> mulf [:: f, g & s] = mulf (fs ++ s).
Proof. by move=> H; rewrite -mulf_cat -H !mulfE !big_cons mulrA. Qed.
Lemma mulf_cons f s : mulf (f :: s) = f * mulf s. Proof. by rewrite !mulfE big_cons. Qed.
Lemma mulf_0 s : mulf (0 :: s) = 0. Proof. by rewrite mulf_cons mul0r. Qed.
(* a delta that stands first: Σ_i δ(i, e) F(i) = F(e) *)
Lemma Sum_delta n (d : Z -> Z) (s : Z -> seq R) e :
  (0 <= e < n)%Z -> (forall i, (0 <= i < n)%Z -> d i = 0%Z -> i = e) -> d e = 0%Z ->
  Sum n (fun i => mulf (delta (d i) 0 :: s i)) = mulf (s e).
Proof.
move=> He H de; rewrite (Sum_one (e := e)) //; first by rewrite mulf_cons de /delta /= mul1r.
move=> i Hi ne; rewrite mulf_cons /delta; case: Z.eqb_spec => [/(H _ Hi)//|_]; by rewrite mul0r.
Qed.
(* a delta that stands first among factors with an index: i may be replaced by e in the others *)
Lemma mulf_delta d (s : Z -> seq R) i e :
  (d = 0%Z -> i = e) -> mulf (delta d 0 :: s i) = mulf (delta d 0 :: s e).
Proof. by move=> H; rewrite !mulf_cons /delta; case: Z.eqb_spec => [/H->//|_]; rewrite !mul0r. Qed.
Lemma delta_eq i j d : (i = j <-> d = 0%Z) -> delta i j = delta d 0.
Proof. by move=> H; rewrite /delta; do 2 case: Z.eqb_spec => //; tauto. Qed.
Lemma delta_1 i j : i = j -> delta i j = 1. Proof. by move=> ->; rewrite /delta Z.eqb_refl. Qed.
Lemma delta_0 i j : i <> j -> delta i j = 0. Proof. by rewrite /delta; case: Z.eqb_spec. Qed.
Lemma delta_sq i j : delta i j * delta i j = delta i j.
Proof. by rewrite /delta; case: Z.eqb; rewrite ?mulr1 ?mulr0. Qed.
Lemma ge0_sq i : ge0 i * ge0 i = ge0 i. Proof. by rewrite /ge0; case: Z.leb; rewrite ?mulr1 ?mulr0. Qed.
Lemma step_sq x : step x * step x = step x. Proof. by rewrite /step; case: (0 < x); rewrite ?mulr1 ?mulr0. Qed.
Lemma ge0_1 i : (0 <= i)%Z -> ge0 i = 1. Proof. by rewrite /ge0; case: Z.leb_spec => //; lia. Qed.
Lemma ge0_0 i : (i < 0)%Z -> ge0 i = 0. Proof. by rewrite /ge0; case: Z.leb_spec => //; lia. Qed.
Lemma ge0_eq i j : ((0 <= i)%Z <-> (0 <= j)%Z) -> ge0 i = ge0 j.
Proof. by rewrite /ge0; do 2 case: Z.leb_spec => //; lia. Qed.
Lemma ge0_flip i j : (i + j = -1)%Z -> ge0 i = addf [:: 1; qr (Frac (-1) 1) * ge0 j].
Proof. move=> H; rewrite /= /ge0 qr_opp1; do 2 case: Z.leb_spec; rewrite ?mulr1 ?mulr0 ?subrr ?addr0 //; lia. Qed.

Lemma ge0_delta_1 e i j : (i = j -> 0 <= e)%Z -> ge0 e * delta i j = delta i j.
Proof. by move=> H; rewrite /delta; case: Z.eqb_spec => [/H/ge0_1->|_]; rewrite ?mul1r ?mulr0. Qed.
Lemma ge0_delta_0 e i j : (i = j -> e < 0)%Z -> ge0 e * delta i j = qr (Frac 0 1).
Proof. by move=> H; rewrite qr0 /delta; case: Z.eqb_spec => [/H/ge0_0->|_]; rewrite ?mul0r ?mulr0. Qed.
Lemma ge0_never e f : (0 <= f -> e < 0)%Z -> ge0 e * ge0 f = qr (Frac 0 1).
Proof. by move=> H; rewrite qr0 {2}/ge0; case: Z.leb_spec => [/H/ge0_0->|_]; rewrite ?mul0r ?mulr0. Qed.
Lemma ge0_implied e f : (0 <= f -> 0 <= e)%Z -> ge0 e * ge0 f = ge0 f.
Proof. by move=> H; rewrite {2 3}/ge0; case: Z.leb_spec => [/H/ge0_1->|_]; rewrite ?mul1r ?mulr0. Qed.
Lemma ge0_both e f : (f = - e)%Z -> ge0 e * ge0 f = delta e 0.
Proof. move=> ->; rewrite /ge0 /delta; do 2 case: Z.leb_spec; case: Z.eqb_spec; rewrite ?mulr1 ?mulr0 //; lia. Qed.
(* the digits of an index to the base r *)
Lemma ge0_floor e r a b : e = (r * a + b)%Z -> (0 <= b < r)%Z -> ge0 e = ge0 a.
Proof. by move=> -> H; apply: ge0_eq; split => K; nia. Qed.
Lemma delta_digits i j r a b : (i - j = r * a + b)%Z -> (- r < b < r)%Z ->
  delta i j = mulf [:: delta a 0; delta b 0].
Proof.
move=> E H; rewrite /mulf /= /delta; case: (Z.eqb_spec a 0) => [a0|a0]; last first.
  by rewrite mul0r; case: Z.eqb_spec => // ij; case: a0; nia.
by rewrite mul1r; do 2 case: Z.eqb_spec => //; move=> *; exfalso; nia.
Qed.

Definition lin (s : seq (frac * R)) : R := foldr (fun m a => qr m.1 * m.2 + a) 0 s.
Definition scale (c : frac) (s : seq (frac * R)) := [seq (fmul c m.1, m.2) | m <- s].
Lemma lin_cat s t : lin s + lin t = lin (s ++ t).
Proof. by elim: s => [|m s IH] /=; rewrite ?add0r // -addrA IH. Qed.
Lemma lin_scale c s : lin (scale c s) = qr c * lin s.
Proof. by elim: s => [|m s IH] /=; rewrite ?mulr0 // IH qr_mul mulrDr mulrA. Qed.
Lemma lin_num c : qr c = lin [:: (c, mulf [::])]. Proof. by rewrite /= mulr1 addr0. Qed.
Lemma lin_zero : qr (Frac 0 1) = lin [::]. Proof. exact: qr0. Qed.
Lemma lin_of X : X = lin [:: (Frac 1 1, X)]. Proof. by rewrite /= qr1 mul1r addr0. Qed.
Lemma lin_add a b A B : a = lin A -> b = lin B -> a + b = lin (A ++ B).
Proof. by move=> -> ->; exact: lin_cat. Qed.
Lemma lin_addz A : 0 = lin A -> lin A = 0. Proof. by []. Qed.
Lemma lin_mul a b A B C : a = lin A -> b = lin B -> lin A * lin B = C -> a * b = C. Proof. by move=> -> ->. Qed.
Lemma row_nil s : s * lin [::] = lin [::]. Proof. exact: mulr0. Qed.
Lemma row_cons s c sb s' B B' : s * sb = s' -> s * lin B = lin B' -> s * lin ((c, sb) :: B) = lin ((c, s') :: B').
Proof. by move=> <- H; rewrite /= -H mulrDr mulrCA. Qed.
Lemma mul_nil B : lin [::] * lin B = lin [::]. Proof. exact: mul0r. Qed.
Lemma mul_cons c S A B B' C :
  S * lin B = lin B' -> lin A * lin B = lin C -> lin ((c, S) :: A) * lin B = lin (scale c B' ++ C).
Proof. by move=> H K; rewrite /= -lin_cat lin_scale -H -K mulrDl mulrA. Qed.
Lemma sum_nil n : Sum n (fun=> lin [::]) = lin [::]. Proof. exact: Sum_0. Qed.
Lemma sum_cons n c (S : Z -> R) (A : Z -> seq (frac * R)) A' :
  Sum n (fun i => lin (A i)) = lin A' -> Sum n (fun i => lin ((c, S i) :: A i)) = lin ((c, Sum n S) :: A').
Proof. by move=> H; rewrite /= -H Sum_add /Sum mulr_sumr. Qed.
(* one monomial replaced by a combination *)
Lemma head_lin c S A B C : S = lin B -> lin A = lin C -> lin ((c, S) :: A) = lin (scale c B ++ C).
Proof. by move=> -> H; rewrite /= -lin_cat lin_scale -H. Qed.
Lemma head_same c S S' A C : S = S' -> lin A = lin C -> lin ((c, S) :: A) = lin ((c, S') :: C).
Proof. by move=> -> /= ->. Qed.
Lemma const_head c s : mulf (qr c :: s) = lin [:: (c, mulf s)]. Proof. by rewrite mulf_cons /= addr0. Qed.
Lemma sum_lin1 n c (S : Z -> R) : Sum n (fun i => lin [:: (c, S i)]) = lin [:: (c, Sum n S)].
Proof. exact: (sum_cons _ _ (sum_nil n)). Qed.

(* a combination of the sums Ss, with the number of a sum in place of each, is zero if all coefficients add up to 0 *)
Definition named (Ss : seq R) (T : seq (frac * nat)) := [seq (m.1, nth 0 Ss m.2) | m <- T].
Definition total (T : seq (frac * nat)) (k : nat) : frac :=
  foldr (fun m a => if eqn m.2 k then fadd m.1 a else a) (Frac 0 1) T.
Definition cancels (n : nat) (T : seq (frac * nat)) : bool := all (fun k => Z.eqb (top (total T k)) 0) (iota 0 n).
Lemma totalE T k : qr (total T k) = \sum_(m <- T | m.2 == k) qr m.1.
Proof.
elim: T => [|m T IH]; first by rewrite big_nil qr0.
rewrite big_cons -IH /= eqnE; case: ifP => _ //; by rewrite qr_add.
Qed.
Lemma lin_cancels Ss T : cancels (size Ss) T = true -> lin (named Ss T) = 0.
Proof.
move=> /allP H.
have K k : \sum_(m <- T | m.2 == k) qr m.1 * nth 0 Ss k = 0.
  rewrite -mulr_suml -totalE; case: (ltnP k (size Ss)) => [kn|/(nth_default 0)->]; last by rewrite mulr0.
  have /H /Z.eqb_eq E : k \in iota 0 (size Ss) by rewrite mem_iota.
  by rewrite /qr E /= !mul0r.
transitivity (\sum_(m <- T) qr m.1 * nth 0 Ss m.2).
  by elim: T {H K} => [|m T IH]; rewrite /= ?big_nil // big_cons -IH.
transitivity (\sum_(m <- T) \sum_(k < size Ss | m.2 == k) qr m.1 * nth 0 Ss k).
  apply: eq_bigr => m _; case: (ltnP m.2 (size Ss)) => [h|h]; last first.
    by rewrite nth_default // mulr0 big1 // => k /eqP E; move: h; rewrite E leqNgt ltn_ord.
  by rewrite (bigD1 (Ordinal h)) //= big1 ?addr0 // => k /andP[/eqP E /eqP ne]; case: ne; apply/val_inj.
under eq_bigr do rewrite big_mkcond.
rewrite exchange_big big1 //= => k _; by rewrite -big_mkcond K.
Qed.
Lemma lin_collect Ss (T U : seq (frac * nat)) :
  cancels (size Ss) (T ++ [seq (fmul (Frac (-1) 1) m.1, m.2) | m <- U]) = true -> lin (named Ss T) = lin (named Ss U).
Proof.
move=> /lin_cancels; have -> V W : named Ss (V ++ W) = named Ss V ++ named Ss W by rewrite /named map_cat.
have -> : named Ss [seq (fmul (Frac (-1) 1) m.1, m.2) | m <- U] = scale (Frac (-1) 1) (named Ss U).
  by rewrite /named /scale -!map_comp.
by rewrite -lin_cat lin_scale qr_opp1 mulN1r => /eqP; rewrite subr_eq0 => /eqP.
Qed.
Lemma lin_rest a b L : a = lin L -> b = lin L -> a = b. Proof. by move=> -> ->. Qed.
Lemma cons_eq (x y : R) s t : x = y -> s = t -> x :: s = y :: t. Proof. by move=> -> ->. Qed.
(* lhs = rhs when  lhs - rhs - (left - right)  cancels, where left = right is known *)
Lemma linear lhs rhs left right L M A B :
  lhs = lin L -> rhs = lin M -> left = lin A -> right = lin B -> left = right ->
  lin (L ++ scale (Frac (-1) 1) (M ++ A) ++ B) = 0 -> lhs = rhs.
Proof.
move=> -> -> -> -> E; rewrite -!lin_cat lin_scale -lin_cat qr_opp1 E => H.
apply/eqP; rewrite -subr_eq0; apply/eqP; rewrite -H; ring.
Qed.
(* a delta that stands first, and e may be out of range: lo = e, hi = n - 1 - e *)
Lemma Sum_delta_edges n (d : Z -> Z) (s : Z -> seq R) e lo hi :
  lo = e -> hi = (n - 1 - e)%Z -> (forall i, (0 <= i < n)%Z -> d i = 0%Z -> i = e) -> d e = 0%Z ->
  Sum n (fun i => mulf (delta (d i) 0 :: s i)) = mulf [:: ge0 lo, ge0 hi & s e].
Proof.
move=> -> -> H de; case: (Z_lt_ge_dec e 0) => [l|g].
  rewrite mulf_cons ge0_0 // mul0r /Sum big1 // => k _; rewrite mulf_cons /delta; case: Z.eqb_spec; rewrite ?mul0r //.
  by move=> /(H _ (in_range (ltn_ord k))); lia.
case: (Z_lt_ge_dec e n) => [l|h].
  by rewrite (@Sum_delta n d s e) ?mulf_cons ?ge0_1 ?mul1r //; lia.
rewrite !mulf_cons (ge0_0 (i := (n - 1 - e)%Z)) ?mul0r ?mulr0 /Sum; last lia.
rewrite big1 // => k _; rewrite mulf_cons /delta; case: Z.eqb_spec; rewrite ?mul0r //.
by move=> /(H _ (in_range (ltn_ord k))); have := in_range (ltn_ord k); lia.
Qed.
Fixpoint fpow (c : frac) (n : nat) : frac := if n is k.+1 then fmul c (fpow c k) else Frac 1 1.
Lemma qr_fpow c n : qr c ^+ n = qr (fpow c n).
Proof. by elim: n => [|n IH]; rewrite ?expr0 ?qr1 // exprS IH /= qr_mul. Qed.
Definition finv (c : frac) : frac :=
  match c with Frac Z0 d => Frac 0 1 | Frac (Zpos p) d => Frac (Zpos d) p | Frac (Zneg p) d => Frac (Zneg d) p end.
Lemma qr_finv c : (qr c)^-1 = qr (finv c).
Proof.
case: c => [[|p|p] d]; rewrite /qr /=; first by rewrite /zr !mul0r invr0.
  by rewrite invf_div.
by rewrite invf_div -[Zneg p]/(- Zpos p)%Z -[Zneg d]/(- Zpos d)%Z !zr_opp invrN mulrN mulNr.
Qed.
Lemma mulf_map (f : R -> R) s : f 1 = 1 -> (forall x y, f (x * y) = f x * f y) -> f (mulf s) = mulf [seq f x | x <- s].
Proof. by move=> f1 fM; rewrite !mulfE big_map; elim: s => [|x s IH]; rewrite ?big_nil // !big_cons fM IH. Qed.
Lemma zr_prod c s : zr (foldl Z.mul c s) = foldl *%R (zr c) [seq zr x | x <- s].
Proof. by elim: s c => [|x s IH] c //=; rewrite IH zr_mul. Qed.
Lemma Sum_gt0 n (F : Z -> R) : (0 < n)%Z -> (forall i, (0 <= i < n)%Z -> 0 < F i) -> 0 < Sum n F.
Proof.
move=> n0 H; have k : (0 < Z.to_nat n)%N by apply/ssrnat.ltP; lia.
rewrite /Sum (bigD1 (Ordinal k)) //=; apply: ltr_paddr; last by apply: H; lia.
by apply: sumr_ge0 => i _; apply/ltW/H/in_range.
Qed.
Lemma Sum_ge0 n (F : Z -> R) : (forall i, (0 <= i < n)%Z -> 0 <= F i) -> 0 <= Sum n F.
Proof. by move=> H; apply: sumr_ge0 => i _; apply/H/in_range. Qed.
Lemma add_pn (x y : R) : 0 < x -> 0 <= y -> 0 < x + y. Proof. by move=> H K; exact: ltr_paddr. Qed.
Lemma add_np (x y : R) : 0 <= x -> 0 < y -> 0 < x + y. Proof. by move=> H K; exact: ltr_paddl. Qed.
Lemma delta_ge0 i j : 0 <= delta i j. Proof. by rewrite /delta; case: Z.eqb; rewrite ?ler01. Qed.
Lemma ge0_ge0 i : 0 <= ge0 i. Proof. by rewrite /ge0; case: Z.leb; rewrite ?ler01. Qed.
Lemma step_ge0 x : 0 <= step x. Proof. by rewrite /step; case: (0 < x); rewrite ?ler01. Qed.
Lemma weighed_gt0 (c x y : R) : 0 < c -> c * x = y -> 0 < y -> 0 < x. Proof. by move=> H <-; rewrite pmulr_rgt0. Qed.
Lemma weighed_ge0 (c x y : R) : 0 < c -> c * x = y -> 0 <= y -> 0 <= x. Proof. by move=> H <-; rewrite pmulr_rge0. Qed.
Lemma weighed_neq0 (c x y : R) : c * x = y -> y != 0 -> x != 0.
Proof. by move=> <-; rewrite mulf_eq0 negb_or => /andP[]. Qed.
Lemma square_ge0 (x : R) : 0 <= x * x. Proof. by rewrite -expr2 sqr_ge0. Qed.
End Numbers.

Arguments zr : simpl never.
(* a polynomial in sizes and indices as a linear combination of products *)
Ltac integers := rewrite ?(zr_add, zr_mul) /lin /mulf /= ?qr1 ?qr_int; ring.
(* about indices; entries of integer arrays are in the range that is known of them *)
Ltac ranges := repeat match goal with
  | H : forall j, (0 <= ?P j < _)%Z |- context [?P ?a] =>
      lazymatch goal with _ : (0 <= P a < _)%Z |- _ => fail | _ => pose proof (H a) end
  | H : forall j k, (0 <= ?P j k < _)%Z |- context [?P ?a ?b] =>
      lazymatch goal with _ : (0 <= P a b < _)%Z |- _ => fail | _ => pose proof (H a b) end
  end.
Ltac index := cbv beta; cbn [top bottom]; intros; first [lia | nia | ranges; first [lia | nia]].
(* the same up to index arithmetic *)
Ltac reindexed := cbv beta; first [reflexivity | lia | nia | (apply: Sum_ext; intros; reindexed) | (f_equal; reindexed)].
